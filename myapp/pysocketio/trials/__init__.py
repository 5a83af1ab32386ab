"""What takes trials in the place of the chat on python-socketio: over ASGI, over WSGI, and under gevent."""
