"""A TCP proxy that a test can cut: servers go away without being stopped."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import count

_GREETINGS = 2  # PostgreSQL's clients ask for TLS first

Connect = Callable[[], socket.socket]


class Proxy:
    """Forwards connections to a server until it is cut; may be mended again.

    `latency_seconds` is how much longer than the server's every answer takes. `greetings` are the
    first bytes that clients sent, of each connection one or two pieces.
    """

    latency_seconds = 0.0

    def __init__(self, connect: Connect, listener: socket.socket | None = None) -> None:
        self._connect = connect
        self._listener = listener or socket.create_server(("127.0.0.1", 0), backlog=256)
        self._guard = threading.Lock()
        self._open: set[socket.socket] = set()
        self._asking: set[socket.socket] = set()
        self._silent: set[socket.socket] = set()
        self._silences_new_ones = False
        self.greetings: list[bytes] = []
        self._tears = 0
        self._is_cut = False
        self._closed = threading.Event()
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> int:
        """Break every connection and refuse new ones; say how many awaited an answer."""
        with self._guard:
            self._is_cut = True
        return self.interrupt()

    def interrupt(self) -> int:
        """Break every connection, but let new ones through; say how many awaited an answer."""
        with self._guard:
            ends, asking = list(self._open), len(self._asking)
        for end in ends:
            _hang_up(end)
        return asking

    def silence(self, *, new_ones_too: bool = False) -> int:
        """Swallow whatever comes on the connections that are open, and hang up on nobody.

        New connections work unless `new_ones_too`. Return how many clients are cut off.
        """
        with self._guard:
            self._silent |= self._open
            self._silences_new_ones = new_ones_too
            return len(self._open) // 2

    def tear(self, answers: int) -> None:
        """Let only half of what comes next arrive, of so many answers, and hang up."""
        with self._guard:
            self._tears = answers

    @property
    def asking(self) -> int:
        """How many connections await an answer."""
        return len(self._asking)

    @property
    def tears_left(self) -> int:
        """How many answers are still to be torn."""
        return self._tears

    def mend(self) -> None:
        """Let new connections through again."""
        with self._guard:
            self._is_cut = False

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
            self._open_way(client)

    def _open_way(self, client: socket.socket) -> None:
        try:
            server = self._connect()
        except OSError:
            _hang_up(client)
            return
        with self._guard:
            ends = (client, server)
            if self._is_cut:
                for end in ends:
                    _hang_up(end)
                return
            self._open.update(ends)
            if self._silences_new_ones:
                self._silent.update(ends)
        threading.Thread(target=self._pump_questions, args=ends, daemon=True).start()
        threading.Thread(target=self._pump_answers, args=ends, daemon=True).start()

    def _pump_questions(self, client: socket.socket, server: socket.socket) -> None:
        with suppress(OSError):
            for number in count():
                data = client.recv(65536)
                if not data:
                    break
                with self._guard:
                    self._asking.add(client)
                    if number < _GREETINGS:
                        self.greetings.append(data)
                if client not in self._silent:
                    server.sendall(data)
        self._forget(client, server)

    def _pump_answers(self, client: socket.socket, server: socket.socket) -> None:
        with suppress(OSError):
            while data := server.recv(65536):
                if client in self._silent:
                    continue
                time.sleep(self.latency_seconds)
                with self._guard:
                    self._asking.discard(client)
                    torn = self._tears > 0
                    self._tears -= torn
                client.sendall(data[: len(data) // 2] if torn else data)
                if torn:
                    break
        self._forget(client, server)

    def _forget(self, client: socket.socket, server: socket.socket) -> None:
        with self._guard:
            self._open.difference_update((client, server))
            self._silent.difference_update((client, server))
            self._asking.discard(client)
        for end in (client, server):
            _hang_up(end)


def _hang_up(end: socket.socket) -> None:
    with suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
    end.close()


@contextmanager
def proxy_to_unix_socket(path: str, listener: socket.socket | None = None) -> Iterator[Proxy]:
    """Run a proxy in front of a server that listens on a Unix socket, at 127.0.0.1 by default."""

    def connect() -> socket.socket:
        server = socket.socket(socket.AF_UNIX)
        try:
            server.connect(path)
        except OSError:
            server.close()
            raise
        return server

    with _running(Proxy(connect, listener)) as proxy:
        yield proxy


@contextmanager
def proxy_to_port(port: int, listener: socket.socket | None = None) -> Iterator[Proxy]:
    """Run a proxy in front of a server that listens on a port of 127.0.0.1, there by default."""

    def connect() -> socket.socket:
        return socket.create_connection(("127.0.0.1", port))

    with _running(Proxy(connect, listener)) as proxy:
        yield proxy


@contextmanager
def _running(proxy: Proxy) -> Iterator[Proxy]:
    try:
        yield proxy
    finally:
        proxy.close()
