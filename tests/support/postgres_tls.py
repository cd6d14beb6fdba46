"""TLS and passwords in front of PostgreSQL, whose build for the tests has none and asks for none.

The client asks for TLS in the clear, and is asked for its password in the clear (PostgreSQL manual,
"Message Flow").
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress

from tests.support.http_proxy import pump

_FIELDS = b"SFATAL\0C28P01\0Mpassword authentication failed\0\0"
_REFUSED = b"E" + (4 + len(_FIELDS)).to_bytes(4, "big") + _FIELDS
_ASK_PASSWORD = b"R" + (8).to_bytes(4, "big") + (3).to_bytes(4, "big")
_LAST_BYTES_SECONDS = 5.0
_SSL_REQUEST = (8).to_bytes(4, "big") + (80877103).to_bytes(4, "big")


@asynccontextmanager
async def postgres_at(
    host: str,
    database: Mapping[str, str],
    context: ssl.SSLContext | None = None,
    accepts: Callable[[str], bool] | None = None,
) -> AsyncIterator[dict[str, str]]:
    """Give DB_* variables of the same database at another address, behind TLS if wanted.

    With `accepts`, whoever connects must send a password that it accepts.
    """
    serving: set[asyncio.Task[None]] = set()

    async def serve(client: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        if task := asyncio.current_task():
            serving.add(task)
            task.add_done_callback(serving.discard)
        with suppress(OSError, asyncio.IncompleteReadError):
            if context:
                assert await client.readexactly(8) == _SSL_REQUEST
                back.write(b"S")
                await back.start_tls(context)
            greeting = await _message(client) if accepts else b""
            if accepts and not accepts(await _password(client, back)):
                back.write(_REFUSED)
                await back.drain()
                back.close()
                return
            path = f"{database['DB_HOST']}/.s.PGSQL.{database['DB_PORT']}"
            server, onward = await asyncio.open_unix_connection(path)
            onward.write(greeting)
            await asyncio.gather(pump(client, onward), pump(server, back))
        back.close()

    listening = await asyncio.start_server(serve, host, 0)
    try:
        port = listening.sockets[0].getsockname()[1]
        yield {**database, "DB_HOST": host, "DB_PORT": str(port)}
    finally:
        listening.close()
        if serving:
            await asyncio.wait(serving, timeout=_LAST_BYTES_SECONDS)


async def _message(client: asyncio.StreamReader) -> bytes:
    """Read one message without a type: its length and the rest."""
    length = await client.readexactly(4)
    return length + await client.readexactly(int.from_bytes(length, "big") - 4)


async def _password(client: asyncio.StreamReader, back: asyncio.StreamWriter) -> str:
    back.write(_ASK_PASSWORD)
    assert await client.readexactly(1) == b"p"
    return (await _message(client))[4:].rstrip(b"\0").decode()
