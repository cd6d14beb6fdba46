"""The console, served in this process from a thread of its own, or as the program that users start."""

import asyncio
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import uvicorn

from console.app import built
from console.data.servers import open_servers
from console.settings import ConsoleSettings
from tests.support.programs import page, until

_STOP_SECONDS = 10


class _Thread(threading.Thread):
    """Serves until told to stop; has an event loop of its own, as tests block theirs."""

    def __init__(self, settings: ConsoleSettings) -> None:
        super().__init__(name="console", daemon=True)
        self._settings = settings
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.server: uvicorn.Server | None = None
        self._tell_to_stop: Callable[[], object] = lambda: None

    def run(self) -> None:
        """Serve; what keeps it from that is reported by pytest."""
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        async with open_servers(self._settings) as servers, built(servers) as app:
            config = uvicorn.Config(
                app, log_config=None, lifespan="off", timeout_graceful_shutdown=1
            )
            self.server = uvicorn.Server(config)
            loop = asyncio.get_running_loop()
            self._tell_to_stop = lambda: loop.call_soon_threadsafe(servers.stopping.set)
            await self.server.serve([self.listening])

    @property
    def has_begun(self) -> bool:
        """Whether it serves, or never will."""
        return not self.is_alive() or (self.server is not None and self.server.started)

    def stop(self) -> None:
        """Stop within seconds."""
        if self.server is not None:
            self._tell_to_stop()
            self.server.should_exit = True
        self.join(_STOP_SECONDS)
        self.listening.close()


@contextmanager
def served_console(environment: Mapping[str, str], **settings: object) -> Iterator[str]:
    """Serve the console while the block runs; give its address, without a slash at the end."""
    names = {name.lower(): value for name, value in environment.items()}
    thread = _Thread(ConsoleSettings.model_validate({**names, **settings}))
    thread.start()
    try:
        until(lambda: thread.has_begun, "the console serves")
        assert thread.is_alive(), "the console ended at its start"
        yield f"http://127.0.0.1:{thread.listening.getsockname()[1]}"
    finally:
        thread.stop()
    assert not thread.is_alive(), "the console does not stop"


@contextmanager
def console_program(
    environment: Mapping[str, str], port: int, log: Path
) -> Iterator["subprocess.Popen[bytes]"]:
    """Run `console serve` on a port; it is killed at the end of the block, if not before."""
    own = {**os.environ, **environment, "CONSOLE_PORT": str(port)}
    with (
        log.open("ab") as output,
        subprocess.Popen(
            [sys.executable, "-m", "console", "serve"], env=own, stderr=output
        ) as process,
    ):
        try:
            until(lambda: page(port, "/healthz")[0] == 200, f"the console answers; see {log}")
            yield process
        finally:
            process.kill()


def free_port() -> int:
    """Return a port that nobody listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])
