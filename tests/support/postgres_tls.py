"""TLS in front of PostgreSQL, whose build for the tests has none.

The client asks for it in the clear (PostgreSQL manual, "Message Flow: SSL Session Encryption").
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress

from tests.support.http_proxy import pump

_SSL_REQUEST = (8).to_bytes(4, "big") + (80877103).to_bytes(4, "big")


@asynccontextmanager
async def postgres_at(
    host: str, database: Mapping[str, str], context: ssl.SSLContext | None = None
) -> AsyncIterator[dict[str, str]]:
    """Give DB_* variables of the same database at another address, behind TLS if wanted."""

    async def serve(client: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            if context:
                assert await client.readexactly(8) == _SSL_REQUEST
                back.write(b"S")
                await back.start_tls(context)
            path = f"{database['DB_HOST']}/.s.PGSQL.{database['DB_PORT']}"
            server, onward = await asyncio.open_unix_connection(path)
            await asyncio.gather(pump(client, onward), pump(server, back))
        back.close()

    listening = await asyncio.start_server(serve, host, 0)
    try:
        port = listening.sockets[0].getsockname()[1]
        yield {**database, "DB_HOST": host, "DB_PORT": str(port)}
    finally:
        listening.close()
