"""The WSGI application, for servers that are told where to find one."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "DjangoTestWebsockets.settings")

application = get_wsgi_application()
