"""The chat's settings, but with a prefix that keeps what the tests publish from the clients of a running server."""

from chatserver.settings import *  # noqa: F403
from chatserver.settings import CHAT_PREFIX

WS4REDIS_PREFIX = CHAT_PREFIX + "-tests"
