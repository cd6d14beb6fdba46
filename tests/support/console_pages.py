"""The console's pages without a browser: the application is asked in this process."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from html import unescape
from types import SimpleNamespace
from typing import Any, cast
from urllib.parse import unquote, urlsplit

from starlette.types import ASGIApp

from console.app import build
from console.data.database import open_database
from console.data.drift import DriftReport
from console.data.servers import Servers
from console.data.stories import Stories
from console.settings import ConsoleSettings
from consumer.errors import StorageUnavailable

_PAGE_BYTES = 200_000


@dataclass(frozen=True)
class Shown:
    """What a browser would get."""

    status: int
    headers: Mapping[str, str]
    html: str

    @property
    def text(self) -> str:
        """Return the page with its entities read: what stands in it as text stays marked up."""
        return unescape(self.html)


class _Silent:
    """A queue of an SQS that is down."""

    async def depth(self) -> None:
        """Raise what a queue raises that cannot be asked."""
        raise StorageUnavailable("nobody is there")


class Pages:
    """Asks an application for pages, as a browser on the same machine does."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def get(self, address: str) -> Shown:
        """Return what is shown at an address; no page is larger than it may be."""
        url = urlsplit(address)
        sent: list[Any] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        await self._app(
            {
                "type": "http",
                "asgi": {"version": "3.0"},
                "http_version": "1.1",
                "method": "GET",
                "scheme": "http",
                "path": unquote(url.path),
                "raw_path": url.path.encode(),
                "query_string": url.query.encode(),
                "root_path": "",
                "headers": [(b"host", b"127.0.0.1:8090")],
                "client": ("127.0.0.1", 40000),
                "server": ("127.0.0.1", 8090),
            },
            receive,
            cast("Any", send),
        )
        headers = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
        body = b"".join(one.get("body", b"") for one in sent[1:])
        assert len(body) < _PAGE_BYTES
        return Shown(sent[0]["status"], headers, body.decode())


def console_settings(variables: Mapping[str, str], **more: object) -> ConsoleSettings:
    """Return the settings of a console on a database; its lake and queues are nowhere."""
    nowhere = {"bucket_name": "lake", "queue_url": "http://sqs/main", "dlq_url": "http://sqs/dead"}
    named = {name.lower(): value for name, value in variables.items()}
    return ConsoleSettings.model_validate({**nowhere, **named, **more})


@asynccontextmanager
async def pages_of(variables: Mapping[str, str], **more: object) -> AsyncIterator[Pages]:
    """Give the pages of a console on a database."""
    settings = console_settings(variables, **more)
    async with open_database(settings) as database:
        nobody = cast("Any", None)
        stories, drift = Stories(settings), DriftReport(settings, database)
        queues = cast("Any", SimpleNamespace(main=_Silent(), dead=_Silent()))
        yield Pages(build(Servers(settings, database, queues, nobody, stories, drift)))
        await drift.close()
