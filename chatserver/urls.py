"""The pages of the chat."""

from chatserver import views
from DjangoTestWebsockets.compat import re_path

urlpatterns = [
    re_path(r"^$", views.IndexView.as_view(), name="index"),
    re_path(r"^chat/broadcast/$", views.BroadcastChatView.as_view(), name="broadcast_chat"),
    re_path(r"^chat/user/$", views.UserChatView.as_view(), name="user_chat"),
    re_path(r"^chat/group/$", views.GroupChatView.as_view(), name="group_chat"),
]
