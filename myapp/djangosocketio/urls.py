"""The addresses of the chat, and the one under which the library serves its sockets."""

from django.conf.urls import include

from DjangoTestWebsockets.compat import re_path
from myapp.urls import urlpatterns

urlpatterns = [re_path(r"^", include("django_socketio.urls"))] + urlpatterns
