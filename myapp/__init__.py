"""The same chat through the libraries other than django-websocket-redis."""
