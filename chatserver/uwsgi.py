"""The chat for uWSGI: Django for requests, the library's own loop for WebSockets.

``uwsgi --gevent 1000 --http-socket 127.0.0.1:8000 --http-websockets --module chatserver.uwsgi``, as the
library's documentation runs both in one process. Nothing here passes through the library's
development server, which is the part of it that needs an older Django.
"""

import os

# Before anything opens a connection: a greenlet that waits for Redis must not keep the others waiting.
import gevent.socket
import redis.connection

redis.connection.socket = gevent.socket
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatserver.settings")

from django.conf import settings
from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.core.wsgi import get_wsgi_application
from ws4redis.uwsgi_runserver import uWSGIWebsocketServer

# With the pages' script and style, which a web server before it would bring otherwise.
_django = StaticFilesHandler(get_wsgi_application())
_websocket = uWSGIWebsocketServer()


def application(environ, start_response):
    """Serve one request (PEP 3333)."""
    serve = _websocket if environ["PATH_INFO"].startswith(settings.WEBSOCKET_URL) else _django
    return serve(environ, start_response)
