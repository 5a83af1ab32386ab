"""The addresses of the chat: the same for every library."""

from django.conf.urls import include
from django.contrib import admin

from DjangoTestWebsockets.compat import re_path
from myapp.views import ChatView, ChooseRoomView, IndexView, OpenRoomView, RoomView

urlpatterns = [
    re_path(r"^admin/", admin.site.urls),
    re_path(r"^accounts/", include("django.contrib.auth.urls")),
    re_path(r"^$", IndexView.as_view(), name="index"),
    re_path(r"^chat/broadcast/$", ChatView.as_view(), name="broadcast_chat"),
    re_path(r"^chat/user/$", ChatView.as_view(channel="user"), name="user_chat"),
    re_path(r"^chat/group/$", ChatView.as_view(channel="group"), name="group_chat"),
    re_path(r"^chat/room/(?P<room>\w+)/$", RoomView.as_view(), name="room"),
    re_path(r"^chat/sync-room/(?P<room>\w+)/$", RoomView.as_view(kind="sync"), name="sync_room"),
    # Last, for all that no page above has the address of.
    re_path(r"^chat/$", ChooseRoomView.as_view(), name="choose_room"),
    re_path(r"^chat/(?P<room>.+)/$", OpenRoomView.as_view(), name="open_room"),
]
