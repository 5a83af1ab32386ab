"""The chat on django-socketio; ``manage.py runserver_socketio`` serves it on loopback.

``CHAT_PORT`` in the environment chooses the port; it is 9000, the library's own, unless given.
"""

import os

from myapp.settings import *  # noqa: F403
from myapp.settings import INSTALLED_APPS, TEMPLATES

INSTALLED_APPS = INSTALLED_APPS + ["django_socketio", "myapp.djangosocketio"]
ROOT_URLCONF = "myapp.djangosocketio.urls"
CHAT_PUBLISH = "myapp.djangosocketio.events.publish"
# The library's own script finds the server by itself.
CHAT_PROTOCOL = "django-socketio"
CHAT_SOCKET = "/socket.io/"
CHAT_TEMPLATE = "djangosocketio/chat.html"

# What the template tag of the library needs.
TEMPLATES[0]["OPTIONS"]["context_processors"].append("django.template.context_processors.media")

# On the command line no Django since 1.8 takes an address for this server.
SOCKETIO_HOST = "127.0.0.1"
SOCKETIO_PORT = int(os.environ.get("CHAT_PORT", "9000"))
