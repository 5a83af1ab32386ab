"""Which consumer gets which path."""

from channels.routing import route_class

from myapp.channels1 import consumers

routes = [
    route_class(consumers.MemberConsumer, path=r"^/ws/members/$"),
    route_class(consumers.RoomConsumer, path=r"^/ws/chat/(?P<room>.+)/$"),
    route_class(consumers.EchoConsumer, path=r"^/ws/echo/$"),
]
