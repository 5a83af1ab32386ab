"""The pages of the chat, and the messages that are posted to them."""

import json

from django.conf import settings
from django.http import Http404
from django.utils.module_loading import import_string

from DjangoTestWebsockets import pages
from myapp import chat


class RoomView(pages.MemberView):
    """A room of Channels' tutorial: what is said in it is seen by all who have this page open."""

    template_name = "myapp/room.html"
    kind = ""

    def get_context_data(self, **kwargs):
        rooms = settings.CHAT_ROOMS.get(self.kind)
        if not rooms:
            raise Http404("the chat of this library has no such rooms")
        socket = "%s%s/" % (rooms, kwargs["room"])
        return super(RoomView, self).get_context_data(socket=socket, protocol="text", channel="room", **kwargs)


class ChatView(pages.ChatView):
    """A page that sends through its own connection; what is posted is pushed from this view."""

    def get_template_names(self):
        return [settings.CHAT_TEMPLATE]

    def get_context_data(self, **kwargs):
        kwargs.update(socket=settings.CHAT_SOCKET, protocol=settings.CHAT_PROTOCOL)
        kwargs.update(keys=json.dumps(chat.keys_of(self.request.user)))
        return super(ChatView, self).get_context_data(**kwargs)

    def publish(self, audience, message):
        hand_over = import_string(settings.CHAT_PUBLISH)
        hand_over(self.channel, audience, self.request.user.get_username(), message)
