"""The ASGI application, for Django 3.0 and newer."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "DjangoTestWebsockets.settings")

application = get_asgi_application()
