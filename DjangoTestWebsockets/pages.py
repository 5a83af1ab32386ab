"""The pages of every chat here; each chat adds how a posted message is published, and where its socket is."""

from django import forms
from django.contrib.auth import get_user_model
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import Group
from django.http import HttpResponse, HttpResponseBadRequest
from django.utils.decorators import method_decorator
from django.views.generic import TemplateView

from DjangoTestWebsockets.compat import TextField


class MemberView(TemplateView):
    """A page for members; others are sent to the login page."""

    @method_decorator(login_required)
    def dispatch(self, *args, **kwargs):
        return super(MemberView, self).dispatch(*args, **kwargs)


class IndexView(MemberView):
    template_name = "chatserver/index.html"


class MessageForm(forms.Form):
    """A message, and on pages that are not for everyone whom it is for: one of *audiences*, in the field *channel*."""

    message = TextField(required=False)

    def __init__(self, channel, audiences, *args, **kwargs):
        super(MessageForm, self).__init__(*args, **kwargs)
        if audiences:
            self.fields[channel] = forms.ChoiceField(choices=[(name, name) for name in audiences])


class ChatView(MemberView):
    """A page of one *channel* (broadcast, user or group): shows what its connection brings, takes messages by POST."""

    channel = "broadcast"

    def audiences(self):
        """Return the audiences that this page can send to; a broadcast goes to everyone."""
        if self.channel == "user":
            names = get_user_model().USERNAME_FIELD
            return get_user_model().objects.order_by(names).values_list(names, flat=True)
        if self.channel == "group":
            return Group.objects.order_by("name").values_list("name", flat=True)
        return []

    def publish(self, audience, message):
        """Hand *message* to the library."""
        raise NotImplementedError

    def get_context_data(self, **kwargs):
        return super(ChatView, self).get_context_data(channel=self.channel, audiences=self.audiences(), **kwargs)

    def post(self, request, *args, **kwargs):
        form = MessageForm(self.channel, self.audiences(), request.POST)
        if not form.is_valid():
            return HttpResponseBadRequest(form.errors.as_text(), content_type="text/plain")
        self.publish(form.cleaned_data.get(self.channel, ""), form.cleaned_data["message"])
        return HttpResponse("OK", content_type="text/plain")
