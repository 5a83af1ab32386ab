"""The pages of the chat, and the messages that are posted to them."""

from ws4redis.publisher import RedisPublisher
from ws4redis.redis_store import RedisMessage

from DjangoTestWebsockets import pages

#: The last part of the WebSocket's path: a client that connects to another facility is in another chat.
FACILITY = "chat"


class ChatView(pages.ChatView):
    """The page for broadcasts also sends through its WebSocket, through which nobody can address others."""

    template_name = "chatserver/ws4redis.html"

    def get_context_data(self, **kwargs):
        return super(ChatView, self).get_context_data(facility=FACILITY, **kwargs)

    def publish(self, audience, message):
        audiences = {"broadcast": {"broadcast": True}, "user": {"users": [audience]}, "group": {"groups": [audience]}}
        publisher = RedisPublisher(facility=FACILITY, **audiences[self.channel])
        publisher.publish_message(RedisMessage(message))
