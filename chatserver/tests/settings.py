"""The chat's settings, but what the tests publish is not for those who are connected to a server meanwhile."""

from chatserver.settings import *  # noqa: F403
from chatserver.settings import CHAT_PREFIX

WS4REDIS_PREFIX = CHAT_PREFIX + "-tests"
