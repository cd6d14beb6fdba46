"""A stand-in for an Iceberg REST catalogue: its protocol over HTTP, pyiceberg's tables in SQLite.

No server of the protocol can be installed from PyPI. This one knows what the lakehouse asks for
(Iceberg REST specification: config, namespaces, tables), and keeps requirements of commits.
"""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from pyiceberg.catalog.rest import CreateTableRequest
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.exceptions import (
    CommitFailedException,
    NamespaceAlreadyExistsError,
    NoSuchTableError,
    TableAlreadyExistsError,
)
from pyiceberg.table import CommitTableRequest, Table

CODES: dict[type[Exception], int] = {
    NoSuchTableError: 404,
    NamespaceAlreadyExistsError: 409,
    TableAlreadyExistsError: 409,
    CommitFailedException: 409,
}


class _Catalogue:
    def __init__(self, catalog: SqlCatalog) -> None:
        self._catalog = catalog
        self._lock = threading.Lock()

    def answer(self, method: str, path: str, body: bytes) -> tuple[int, str]:
        """Return status and JSON; the token is looked at by the handler."""
        parts = path.partition("?")[0].strip("/").split("/")[1:]
        act: Callable[..., str]
        match (method, parts):
            case ("GET", ["config"]):
                act = partial(json.dumps, {"defaults": {}, "overrides": {}})
            case ("POST", ["namespaces"]):
                act = partial(self._make_namespace, body)
            case ("POST", ["namespaces", namespace, "tables"]):
                act = partial(self._make_table, namespace, body)
            case ("GET", ["namespaces", namespace, "tables", name]):
                act = partial(self._table, namespace, name)
            case ("POST", ["namespaces", namespace, "tables", name]):
                act = partial(self._commit, namespace, name, body)
            case _:
                raise AssertionError((method, path))
        try:
            with self._lock:
                return 200, act()
        except tuple(CODES) as error:
            code = CODES[type(error)]
            told = {"message": str(error), "type": type(error).__name__, "code": code}
            return code, json.dumps({"error": told})

    def _make_namespace(self, body: bytes) -> str:
        self._catalog.create_namespace(tuple(json.loads(body)["namespace"]))
        return body.decode()

    def _make_table(self, namespace: str, body: bytes) -> str:
        asked = CreateTableRequest.model_validate_json(body)
        assert asked.partition_spec is not None
        return _told(
            self._catalog.create_table(
                (namespace, asked.name),
                asked.table_schema,
                location=asked.location,
                partition_spec=asked.partition_spec,
                properties=asked.properties,
            )
        )

    def _table(self, namespace: str, name: str) -> str:
        return _told(self._catalog.load_table((namespace, name)))

    def _commit(self, namespace: str, name: str, body: bytes) -> str:
        asked = CommitTableRequest.model_validate_json(body)
        table = self._catalog.load_table((namespace, name))
        done = self._catalog.commit_table(table, asked.requirements, asked.updates)
        return done.model_dump_json(by_alias=True)


def _told(table: Table) -> str:
    metadata = table.metadata.model_dump_json(by_alias=True)
    return f'{{"metadata-location": "{table.metadata_location}", "metadata": {metadata}}}'


@contextmanager
def rest_catalogue(root: Path, token: str) -> Iterator[str]:
    """Give the address of a catalogue that wants a bearer token; its tables lie in a directory."""

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            code, text = 401, json.dumps({"error": {"message": "", "type": "", "code": 401}})
            if self.headers.get("Authorization") == f"Bearer {token}":
                code, text = catalogue.answer(self.command, self.path, body)
            self.send_response(code)
            self.send_header("Content-Length", str(len(text.encode())))
            self.end_headers()
            self.wfile.write(text.encode())

        do_GET = do_POST = _answer  # noqa: N815 - http.server's names

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    address = f"sqlite:///{root}/catalogue.db"
    with (
        closing(SqlCatalog("server", uri=address, warehouse=f"file://{root}")) as catalog,
        ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server,
    ):
        catalogue = _Catalogue(catalog)
        threading.Thread(target=server.serve_forever, name="rest_catalogue", daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
