"""What the chats of all libraries but django-websocket-redis have in common.

Each library's own settings begin with these. They add the library, and name in ``CHAT_PUBLISH``
the function that hands a posted message to it, and in ``CHAT_PROTOCOL`` what the page's script
has to speak.
"""

import os

from DjangoTestWebsockets.settings import *  # noqa: F403
from DjangoTestWebsockets.settings import BASE_DIR, INSTALLED_APPS, TEMPLATES

INSTALLED_APPS = INSTALLED_APPS + ["myapp"]
ROOT_URLCONF = "myapp.urls"

# The login, the look and the fixture are those of the other chat; its views are not.
_chatserver = os.path.join(BASE_DIR, "chatserver")
TEMPLATES[0]["DIRS"] = [os.path.join(_chatserver, "templates")]
STATICFILES_DIRS = [os.path.join(_chatserver, "static")]
FIXTURE_DIRS = [os.path.join(_chatserver, "fixtures")]

# The path of the page's WebSocket.
CHAT_SOCKET = "/ws/members/"
CHAT_PROTOCOL = "json"
# The path of a room's WebSocket, before its name, by the kind of consumer where there are several; a chat
# without rooms has none.
CHAT_ROOMS = {}
CHAT_TEMPLATE = "chatserver/chat.html"
