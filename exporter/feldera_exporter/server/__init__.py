"""The web server: the ASGI application and its listener."""
