"""Who a connection belongs to, where Django's middleware has not seen it."""

try:
    from http.cookies import SimpleCookie
except ImportError:  # Python 2.7
    from Cookie import SimpleCookie

from django.conf import settings
from django.contrib.auth import get_user
from django.db import close_old_connections
from django.http import HttpRequest
from django.utils.module_loading import import_string

from DjangoTestWebsockets.compat import is_member
from myapp import chat


def member(cookies):
    """Return name and keys of the member whose session the header *cookies* names; None if there is none."""
    cookie = SimpleCookie(str(cookies)).get(settings.SESSION_COOKIE_NAME)
    request = HttpRequest()
    store = import_string(settings.SESSION_ENGINE + ".SessionStore")
    request.session = store(cookie.value if cookie else None)
    try:
        user = get_user(request)
        return (user.get_username(), chat.keys_of(user)) if is_member(user) else None
    finally:
        close_old_connections()
