"""The pages of the chat."""

from chatserver.views import ChatView
from DjangoTestWebsockets.compat import re_path
from DjangoTestWebsockets.pages import IndexView

urlpatterns = [
    re_path(r"^$", IndexView.as_view(), name="index"),
    re_path(r"^chat/broadcast/$", ChatView.as_view(), name="broadcast_chat"),
    re_path(r"^chat/user/$", ChatView.as_view(channel="user"), name="user_chat"),
    re_path(r"^chat/group/$", ChatView.as_view(channel="group"), name="group_chat"),
]
