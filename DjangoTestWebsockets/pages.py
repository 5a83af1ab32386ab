"""The pages of every chat here; each chat adds how a posted message is published, and where its socket is."""

from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import Group, User
from django.http import HttpResponse, HttpResponseBadRequest
from django.utils.decorators import method_decorator
from django.views.generic import TemplateView


class MemberView(TemplateView):
    """A page for members; whoever is not logged in is sent to the login page."""

    @method_decorator(login_required)
    def dispatch(self, *args, **kwargs):
        return super(MemberView, self).dispatch(*args, **kwargs)


class IndexView(MemberView):
    template_name = "chatserver/index.html"


class ChatView(MemberView):
    """A page of one *channel* (broadcast, user or group): shows what its connection brings, takes messages by POST."""

    channel = "broadcast"

    def audiences(self):
        """Return the names that a message of this page can be for; everyone hears a broadcast."""
        if self.channel == "user":
            return User.objects.order_by("username").values_list("username", flat=True)
        if self.channel == "group":
            return Group.objects.order_by("name").values_list("name", flat=True)
        return []

    def publish(self, audience, message):
        """Hand *message* to the library."""
        raise NotImplementedError

    def get_context_data(self, **kwargs):
        return super(ChatView, self).get_context_data(channel=self.channel, audiences=self.audiences(), **kwargs)

    def post(self, request, *args, **kwargs):
        try:
            audience = "" if self.channel == "broadcast" else request.POST[self.channel]
            message = request.POST["message"]
        except KeyError as missing:
            return HttpResponseBadRequest("no %s in the form" % missing)
        self.publish(audience, message)
        return HttpResponse("OK", content_type="text/plain")
