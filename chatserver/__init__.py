"""The chat of django-websocket-redis: broadcast, user and group pages."""
