"""The chat on django-socketio: events and channels, over the Socket.IO of 2011."""
