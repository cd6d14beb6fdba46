"""A certificate authority of our own, and servers and clients that it vouches for."""

import asyncio
import socket
import ssl
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import trustme

from tests.support.http_proxy import pump


@dataclass(frozen=True)
class Authority:
    """A CA that no system knows.

    `ca_file` is its certificate, `client_file` the certificate and key of a client of its own.
    """

    ca: trustme.CA
    ca_file: Path
    client_file: Path

    def server_context(
        self, name: str = "127.0.0.1", *, ask_client: bool = False
    ) -> ssl.SSLContext:
        """Return the TLS of a server of that name; it may insist on a client's certificate."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.ca.issue_cert(name).configure_cert(context)
        if ask_client:
            context.verify_mode = ssl.CERT_REQUIRED
            self.ca.configure_trust(context)
        return context


@contextmanager
def refusing_clients(context: ssl.SSLContext) -> Iterator[int]:
    """Refuse handshakes with the alert that says why; yields the port.

    asyncio's own servers hang up without that alert.
    """
    listener = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=_refuse, args=(listener, context), daemon=True).start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def _refuse(listener: socket.socket, context: ssl.SSLContext) -> None:
    with suppress(OSError):
        while True:
            client, _ = listener.accept()
            raw = client.dup()  # a failed handshake closes the other
            with suppress(OSError), context.wrap_socket(client, server_side=True) as session:
                session.recv(1)
            # Read what was sent meanwhile: closing on it would reset the connection.
            with raw, suppress(OSError):
                raw.shutdown(socket.SHUT_WR)
                while raw.recv(65536):
                    pass


def make_authority(folder: Path) -> Authority:
    """Make a CA, and write what programs read as files."""
    ca = trustme.CA()
    authority = Authority(ca, folder / "ca.pem", folder / "client.pem")
    ca.cert_pem.write_to_path(authority.ca_file)
    ca.issue_cert("client@example.org").private_key_and_cert_chain_pem.write_to_path(
        authority.client_file
    )
    return authority


@asynccontextmanager
async def front(host: str, port: int, context: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """Put another address, and TLS, in front of a server of 127.0.0.1; yields the port."""

    async def serve(client: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        server, onward = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(pump(client, onward), pump(server, back))

    listening = await asyncio.start_server(serve, host, 0, ssl=context)
    try:
        yield listening.sockets[0].getsockname()[1]
    finally:
        listening.close()
