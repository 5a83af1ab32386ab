"""The pages of the chat, and the messages that are posted to them."""

from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import Group, User
from django.http import HttpResponse, HttpResponseBadRequest
from django.utils.decorators import method_decorator
from django.views.generic import TemplateView
from ws4redis.publisher import RedisPublisher
from ws4redis.redis_store import RedisMessage

#: The last part of the WebSocket's path: who connects to another facility is in another chat.
FACILITY = "chat"


class MemberView(TemplateView):
    """A page for members; whoever is not logged in is sent to the login page."""

    @method_decorator(login_required)
    def dispatch(self, *args, **kwargs):
        return super(MemberView, self).dispatch(*args, **kwargs)

    def get_context_data(self, **kwargs):
        return super(MemberView, self).get_context_data(facility=FACILITY, **kwargs)


class IndexView(MemberView):
    template_name = "chatserver/index.html"


class ChatView(MemberView):
    """A page that shows what arrives on its WebSocket, and takes messages by POST as well."""

    def audience(self):
        """Return the keyword arguments for the library's publisher; KeyError without an addressee."""
        raise NotImplementedError

    def post(self, request, *args, **kwargs):
        try:
            audience = self.audience()
            text = request.POST["message"]
        except KeyError as missing:
            return HttpResponseBadRequest("no %s in the form" % missing)
        publisher = RedisPublisher(facility=FACILITY, **audience)
        publisher.publish_message(RedisMessage(text))
        return HttpResponse("OK", content_type="text/plain")


class BroadcastChatView(ChatView):
    """Everyone hears it. The page sends through its WebSocket; without scripts it posts."""

    template_name = "chatserver/broadcast_chat.html"

    def audience(self):
        return {"broadcast": True}


class UserChatView(ChatView):
    """One user hears it, wherever that user is logged in."""

    template_name = "chatserver/user_chat.html"

    def audience(self):
        return {"users": [self.request.POST["user"]]}

    def get_context_data(self, **kwargs):
        users = User.objects.order_by("username")
        return super(UserChatView, self).get_context_data(users=users, **kwargs)


class GroupChatView(ChatView):
    """The members of one group hear it."""

    template_name = "chatserver/group_chat.html"

    def audience(self):
        return {"groups": [self.request.POST["group"]]}

    def get_context_data(self, **kwargs):
        groups = Group.objects.order_by("name")
        return super(GroupChatView, self).get_context_data(groups=groups, **kwargs)
