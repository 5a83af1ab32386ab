"""The pages of the chat, and the messages that are posted to them."""

import json

from django import forms
from django.conf import settings
from django.http import Http404
from django.shortcuts import redirect
from django.utils.module_loading import import_string
from django.views.generic import TemplateView

from DjangoTestWebsockets import pages
from myapp import chat

#: What stands behind /chat/ and is no room.
TAKEN = ("broadcast", "user", "group", "room", "sync-room")


def room_sockets(kind=""):
    """Return the path before a room's name at which the library has its sockets.

    Raises:
        Http404: the chat of this library has no rooms, or no such *kind* of consumers.
    """
    try:
        return settings.CHAT_ROOMS[kind]
    except KeyError:
        raise Http404("the chat of this library has no such rooms")


def why_no_room(name):
    """Return in a sentence why no room can have the *name*; nothing where one can."""
    parts = name.split("/")
    if parts[0] in TAKEN:
        return "No room can be called %s: that is another page of this chat." % parts[0]
    if "." in parts or ".." in parts:
        return "No room can be called that: browsers leave such dots out of an address."
    return ""


class RoomForm(forms.Form):
    room = forms.CharField(error_messages={"required": "A room needs a name."})

    def clean_room(self):
        # More white space cannot be seen, and makes no other room.
        name = " ".join(self.cleaned_data["room"].split())
        if not name:  # Django 1.8 takes blanks for a name
            raise forms.ValidationError(self.fields["room"].error_messages["required"])
        if why_no_room(name):
            raise forms.ValidationError(why_no_room(name))
        return name


class IndexView(pages.IndexView):
    def get_context_data(self, **kwargs):
        return super(IndexView, self).get_context_data(has_rooms="" in settings.CHAT_ROOMS, **kwargs)


class ChooseRoomView(TemplateView):
    """Asks for a room's name, and leads there."""

    template_name = "myapp/choose_room.html"

    def get(self, request, *args, **kwargs):
        room_sockets()
        # Nothing is wrong with a name that nobody has been asked for yet.
        form = RoomForm(request.GET if "room" in request.GET else None)
        if form.is_valid():
            return redirect("open_room", room=form.cleaned_data["room"])
        return self.render_to_response(self.get_context_data(form=form, taken=TAKEN))


class OpenRoomView(TemplateView):
    """A room as Channels' tutorial has it: open to everybody who has its address, and the log is a text area."""

    template_name = "myapp/open_room.html"

    def get_context_data(self, **kwargs):
        room = self.kwargs["room"]
        if why_no_room(room):
            raise Http404(why_no_room(room))
        return super(OpenRoomView, self).get_context_data(sockets=room_sockets(), **kwargs)


class RoomView(pages.MemberView):
    """The same rooms for members, on a page like the others of this chat."""

    template_name = "myapp/room.html"
    kind = ""

    def get_context_data(self, **kwargs):
        socket = "%s%s/" % (room_sockets(self.kind), kwargs["room"])
        return super(RoomView, self).get_context_data(socket=socket, protocol="room", channel="room", **kwargs)


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
