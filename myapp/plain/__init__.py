"""The control: WebSockets in Django without any library, as an ASGI application of this project's own."""
