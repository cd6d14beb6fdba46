"""Serves an application on a port until told to stop: within seconds, streams or not."""

import asyncio
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp

from console.data.servers import Servers
from console.errors import ConsoleError
from runtime.signals import stopping_by

_STOP_SECONDS = 2  # for answers under way
_KEEP_ALIVE_SECONDS = 75  # longer than a load balancer's 60, or it meets closed connections


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals to `stopping_by`, which ends with exit code 0."""
        yield


async def serve(app: ASGIApp, servers: Servers, tell: Callable[[str], object]) -> None:
    """Serve until SIGTERM or SIGINT; `tell` is given the address once it is listened on.

    Raises:
        ConsoleError: the port cannot be listened on.
    """
    settings, loop = servers.settings, asyncio.get_running_loop()
    with _listening(settings.console_host, settings.console_port) as listener:
        config = uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            lifespan="off",
            proxy_headers=False,
            server_header=False,
            timeout_keep_alive=_KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=_STOP_SECONDS,
        )
        server = _Server(config)

        def stop() -> None:
            # Streams end by this; an answer that does not is cancelled in the end.
            servers.stopping.set()
            server.should_exit = True

        with stopping_by(lambda: loop.call_soon_threadsafe(stop)):
            tell(_url(listener))
            await server.serve([listener])


@contextmanager
def _listening(host: str, port: int) -> Iterator[socket.socket]:
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        listener = socket.create_server((host, port), family=family)
    except OSError as error:
        raise ConsoleError(
            f"{host}:{port} cannot be listened on ({error.strerror}); correct CONSOLE_HOST and "
            "CONSOLE_PORT"
        ) from error
    with listener:
        yield listener


def _url(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"
