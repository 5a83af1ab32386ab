"""The addresses that every library's server shares: login, logout and the chat."""

from django.conf.urls import include

from DjangoTestWebsockets.compat import re_path

urlpatterns = [
    re_path(r"^accounts/", include("django.contrib.auth.urls")),
    re_path(r"^", include("chatserver.urls")),
]
