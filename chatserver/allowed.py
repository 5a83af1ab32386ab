"""Who may subscribe to which channels, for WS4REDIS_ALLOWED_CHANNELS; without it the library lets everybody in."""

from django.core.exceptions import PermissionDenied

from DjangoTestWebsockets.compat import is_member


def members_on_our_pages(request, channels):
    """Return the *channels* that are asked for, if a member asks on a page of this site.

    ``request.user`` is None where there is no cookie. Programs send no Origin, browsers always do.
    """
    if request.user is None or not is_member(request.user):
        raise PermissionDenied("only members may subscribe")
    origin = request.META.get("HTTP_ORIGIN")
    if origin is not None and origin.partition("://")[2] != request.get_host():
        raise PermissionDenied("only pages of this site may subscribe")
    return channels
