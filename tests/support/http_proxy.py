"""A small HTTP proxy: tunnels CONNECT, and forwards requests with an absolute URL."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from urllib.parse import urlsplit


@dataclass
class HttpProxy:
    """A proxy on a port of 127.0.0.1; answers with `status` instead of forwarding when it is set.

    `asked` keeps the first line of each request, `credentials` its `Proxy-Authorization`.
    """

    port: int = 0
    status: int | None = None
    asked: list[str] = field(default_factory=list)
    credentials: list[str] = field(default_factory=list)

    async def serve(self, client: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        with suppress(OSError, asyncio.IncompleteReadError):
            head = await client.readuntil(b"\r\n\r\n")
            method, target, _ = head.decode("latin-1").split(" ", 2)
            self.asked.append(f"{method} {target}")
            self.credentials += [
                line.partition(b":")[2].strip().decode()
                for line in head.split(b"\r\n")
                if line.lower().startswith(b"proxy-authorization:")
            ]
            if self.status is not None:
                back.write(f"HTTP/1.1 {self.status} No\r\nContent-Length: 0\r\n\r\n".encode())
                await back.drain()
            elif method == "CONNECT":
                host, _, port = target.rpartition(":")
                await self._tunnel(host, int(port), (client, back), b"")
            else:
                url = urlsplit(target)
                head = head.replace(target.encode(), target.partition(url.netloc)[2].encode(), 1)
                await self._tunnel(str(url.hostname), url.port or 80, (client, back), head)
        back.close()

    @staticmethod
    async def _tunnel(
        host: str, port: int, ends: tuple[asyncio.StreamReader, asyncio.StreamWriter], head: bytes
    ) -> None:
        client, back = ends
        server, onward = await asyncio.open_connection(host, port)
        if head:
            onward.write(head)
        else:
            back.write(b"HTTP/1.1 200 Connected\r\n\r\n")
        await asyncio.gather(pump(client, onward), pump(server, back))


async def pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    """Pass on what comes until it ends."""
    with suppress(OSError):
        while data := await source.read(65536):
            sink.write(data)
            await sink.drain()
    sink.close()


@asynccontextmanager
async def running_proxy() -> AsyncIterator[HttpProxy]:
    """Run a proxy while the block runs."""
    proxy = HttpProxy()
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        server.close()
