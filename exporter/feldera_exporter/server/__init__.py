"""The web server: what is answered (an ASGI function), and the listening."""
