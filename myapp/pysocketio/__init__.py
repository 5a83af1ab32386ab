"""The chat on python-socketio: one server object over ASGI, one over WSGI, the same events."""
