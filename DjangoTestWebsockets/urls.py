"""The addresses that every library's server shares: login, logout, the admin and the chat."""

from django.conf.urls import include
from django.contrib import admin

from DjangoTestWebsockets.compat import re_path

urlpatterns = [
    re_path(r"^admin/", admin.site.urls),
    re_path(r"^accounts/", include("django.contrib.auth.urls")),
    re_path(r"^", include("chatserver.urls")),
]
