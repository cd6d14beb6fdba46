"""A TCP proxy that a test can cut: servers go away without being stopped."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

Connect = Callable[[], socket.socket]


class Proxy:
    """Forwards connections to a server until it is cut; may be mended again."""

    def __init__(self, connect: Connect) -> None:
        self._connect = connect
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: set[socket.socket] = set()
        self._cut = threading.Event()
        self._closed = threading.Event()
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """Break every connection in mid-sentence and refuse new ones."""
        self._cut.set()
        for end in list(self._open):
            _hang_up(end)

    def mend(self) -> None:
        """Let new connections through again."""
        self._cut.clear()

    def close(self) -> None:
        """Stop for good."""
        self._closed.set()
        self.cut()
        _hang_up(self._listener)

    def _accept(self) -> None:
        while not self._closed.is_set():
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            if self._cut.is_set():
                _hang_up(client)
                continue
            server = self._connect()
            self._open |= {client, server}
            for source, target in ((client, server), (server, client)):
                threading.Thread(target=self._pump, args=(source, target), daemon=True).start()

    def _pump(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                target.sendall(data)
        for end in (source, target):
            self._open.discard(end)
            _hang_up(end)


def _hang_up(end: socket.socket) -> None:
    with suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
    end.close()


@contextmanager
def proxy_to_unix_socket(path: str) -> Iterator[Proxy]:
    """Run a proxy in front of a server that listens on a Unix socket."""

    def connect() -> socket.socket:
        server = socket.socket(socket.AF_UNIX)
        server.connect(path)
        return server

    proxy = Proxy(connect)
    try:
        yield proxy
    finally:
        proxy.close()
