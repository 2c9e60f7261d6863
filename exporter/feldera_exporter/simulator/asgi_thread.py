"""Serves ASGI applications over real HTTP from a thread, for as long as a `with` block lasts."""

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Thread
from typing import Any, Final

import uvicorn

_PATIENCE: Final = 10.0


@contextmanager
def serve(app: Callable[..., Any], host: str = "127.0.0.1", port: int = 0) -> Iterator[str]:
    """Serve an application and give its URL; port 0 takes a free one.

    Raises:
        OSError: the port is taken.
        RuntimeError: the server does not come up within 10 seconds.
    """
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError:
        listener.close()
        raise
    with listener, serve_on(app, listener):
        yield f"http://{host}:{listener.getsockname()[1]}"


@contextmanager
def serve_on(app: Callable[..., Any], listener: socket.socket) -> Iterator[None]:
    """Serve an application on a bound socket, which the caller closes.

    Raises:
        RuntimeError: the server does not come up within 10 seconds.
    """
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            http="httptools",
            loop="uvloop",
            lifespan="off",
            access_log=False,
            proxy_headers=False,
            log_config=None,
            log_level="critical",
            server_header=False,
            date_header=False,
            timeout_keep_alive=5,  # actix's default, which Feldera does not change
            timeout_graceful_shutdown=1,
        )
    )
    thread = Thread(target=server.run, kwargs={"sockets": [listener]}, name="serve", daemon=True)
    thread.start()
    try:
        _await_start(server, thread)
        yield
    finally:
        server.should_exit = True
        thread.join(_PATIENCE)


def _await_start(server: uvicorn.Server, thread: Thread) -> None:
    deadline = time.monotonic() + _PATIENCE
    while not server.started:
        if not thread.is_alive() or time.monotonic() > deadline:
            raise RuntimeError("the simulated Feldera's server did not come up")
        time.sleep(0.002)
