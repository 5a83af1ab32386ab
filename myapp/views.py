"""The pages of the chat, and the messages that are posted to them."""

import json

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import Group, User
from django.http import Http404, HttpResponse, HttpResponseBadRequest
from django.utils.decorators import method_decorator
from django.utils.module_loading import import_string
from django.views.generic import TemplateView

from myapp import chat


class MemberView(TemplateView):
    """A page for members; whoever is not logged in is sent to the login page."""

    @method_decorator(login_required)
    def dispatch(self, *args, **kwargs):
        return super(MemberView, self).dispatch(*args, **kwargs)


class IndexView(MemberView):
    template_name = "chatserver/index.html"


class RoomView(MemberView):
    """A room of Channels' tutorial: what is said in it is seen by all who have this page open."""

    template_name = "myapp/room.html"

    def get_context_data(self, **kwargs):
        if not settings.CHAT_ROOMS:
            raise Http404("the chat of this library has no rooms")
        socket = "%s%s/" % (settings.CHAT_ROOMS, kwargs["room"])
        return super(RoomView, self).get_context_data(socket=socket, protocol="text", channel="room", **kwargs)


class ChatView(MemberView):
    """A page that sends through its own connection; what is posted is pushed from this view."""

    channel = "broadcast"

    def get_template_names(self):
        return [settings.CHAT_TEMPLATE]

    def audiences(self):
        """Return the names that a message of this page can be for."""
        return []

    def get_context_data(self, **kwargs):
        kwargs.update(channel=self.channel, audiences=self.audiences())
        kwargs.update(socket=settings.CHAT_SOCKET, protocol=settings.CHAT_PROTOCOL)
        kwargs.update(keys=json.dumps(chat.keys_of(self.request.user)))
        return super(ChatView, self).get_context_data(**kwargs)

    def post(self, request, *args, **kwargs):
        try:
            audience = "" if self.channel == "broadcast" else request.POST[self.channel]
            text = request.POST["message"]
        except KeyError as missing:
            return HttpResponseBadRequest("no %s in the form" % missing)
        publish = import_string(settings.CHAT_PUBLISH)
        publish(self.channel, audience, request.user.get_username(), text)
        return HttpResponse("OK", content_type="text/plain")


class BroadcastChatView(ChatView):
    """Everyone hears it."""


class UserChatView(ChatView):
    """One user hears it, wherever that user is logged in."""

    channel = "user"

    def audiences(self):
        return User.objects.order_by("username").values_list("username", flat=True)


class GroupChatView(ChatView):
    """The members of one group hear it."""

    channel = "group"

    def audiences(self):
        return Group.objects.order_by("name").values_list("name", flat=True)
