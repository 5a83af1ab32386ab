"""The addresses of the chat: the same for every library."""

from django.conf.urls import include

from DjangoTestWebsockets.compat import re_path
from myapp import views

urlpatterns = [
    re_path(r"^accounts/", include("django.contrib.auth.urls")),
    re_path(r"^$", views.IndexView.as_view(), name="index"),
    re_path(r"^chat/broadcast/$", views.BroadcastChatView.as_view(), name="broadcast_chat"),
    re_path(r"^chat/user/$", views.UserChatView.as_view(), name="user_chat"),
    re_path(r"^chat/group/$", views.GroupChatView.as_view(), name="group_chat"),
    re_path(r"^chat/room/(?P<room>\w+)/$", views.RoomView.as_view(), name="room"),
]
