"""A lakehouse for tests: the real catalogue in the test's database, tables in a local directory.

The library is the same for both places, and a directory costs no server a thousand requests. The
tests of crashes, of the catalogues and of the engines use the lake in S3.
"""

import hashlib
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager, nullcontext
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
from pyiceberg.catalog.sql import SqlCatalog

from lakehouse import feed
from lakehouse.batch import Place
from lakehouse.catalog import Tables, database_uri
from lakehouse.columns import stored_columns
from lakehouse.errors import Conflict
from lakehouse.export import Totals, export
from lakehouse.feed import Selection
from lakehouse.lake import Latest, StoredObject
from lakehouse.locks import exporting
from lakehouse.settings import LakehouseSettings
from lakehouse.tables import BUSINESS_DAY, TABLES
from lakehouse.watch import Watch
from runtime.postgres import PostgresSettings, connect

Rows = list[tuple[Any, ...]]


class FolderLake:
    """The lake in a directory; the tag of a version is its text."""

    def __init__(self, root: Path) -> None:
        self._root = root

    @property
    def latest(self) -> Path:
        return self._root / "latest.json"

    def read_latest(self) -> tuple[Latest | None, str | None]:
        if not self.latest.exists():
            return None, None
        text = self.latest.read_text()
        return Latest.read(text), text

    def publish(self, latest: Latest, replaces: str | None) -> None:
        if replaces != self.read_latest()[1]:
            raise Conflict
        self.latest.write_text(latest.text)

    def objects(self) -> Iterator[StoredObject]:
        for path in sorted(self._root.rglob("*")):
            if path.is_file():
                told = path.stat()
                time = datetime.fromtimestamp(told.st_mtime, UTC)
                key = str(path.relative_to(self._root.parent))
                yield StoredObject(key, told.st_size, time)

    def delete(self, keys: Iterable[str]) -> None:
        for key in keys:
            (self._root.parent / key).unlink()

    def uploads(self) -> Iterator[tuple[str, str, datetime]]:
        yield from ()

    def abort(self, key: str, upload_id: str) -> None:
        raise AssertionError((key, upload_id))


class Lakehouse:
    """An initialised lakehouse, and the comparison with PostgreSQL."""

    def __init__(self, settings: LakehouseSettings, place: Place, locks: feed.Connection) -> None:
        self.settings = settings
        self.place = place
        self.connection = place.connection
        self.locks = locks
        self._lock: Any = partial(exporting, locks)

    @contextmanager
    def unlocked(self) -> Iterator[None]:
        """Export without the lock while the block runs, as if another's session had been lost."""
        before, self._lock = self._lock, nullcontext
        try:
            yield
        finally:
            self._lock = before

    def export(self, selection: Selection | None = None, watch: Watch | None = None) -> Totals:
        lock = self._lock
        return export(self.place, lock, selection or Selection(), watch or Watch())

    def export_again(self) -> Totals:
        with self.connection.transaction():
            exported = self.place.tables.exported_days()
            feed.queue_all(self.connection, Selection(), exported)
        return self.export()

    def assert_equal(self, tables: Iterable[str] = TABLES) -> None:
        """Assert that Iceberg tables hold exactly the standing rows, in all columns."""
        columns = stored_columns(self.connection, self.place.personal)
        for name in tables:
            names = [column.name for column in columns[name]]
            kinds = [column.kind for column in columns[name]]
            assert self._standing(name, names, kinds) == self._exported(name, names), name

    def _standing(self, name: str, names: list[str], kinds: list[str]) -> list[str]:
        about = TABLES[name]
        chosen = ", ".join(
            f"t.{column}::text" if kind == "jsonb" else f"t.{column}"
            for column, kind in zip(names, kinds, strict=True)
        )
        day = about.day_column.as_string(self.connection)
        rows = about.rows.as_string(self.connection)
        found = self.connection.execute(f"SELECT {day}, {chosen} {rows}".encode()).fetchall()
        self.connection.rollback()
        return _written(found)

    def _exported(self, name: str, names: list[str]) -> list[str]:
        table = self.place.tables.load(name)
        assert table is not None
        if table.current_snapshot() is None:
            return []
        days = [] if TABLES[name].day is None else [BUSINESS_DAY]
        chosen = table.scan(selected_fields=(*days, *names)).to_arrow().select([*days, *names])
        rows = zip(*(column.to_pylist() for column in chosen.columns), strict=True)
        return _written(row if days else (None, *row) for row in rows)


def _written(rows: Iterable[tuple[Any, ...]]) -> list[str]:
    """Write rows so that equal ones are equal texts; 1.50 is 1.5, and NULL is not ''."""
    return sorted(
        repr(tuple(v.normalize() if isinstance(v, Decimal) else v for v in _utc(row)))
        for row in rows
    )


def _utc(row: Iterable[Any]) -> Iterator[Any]:
    for value in row:
        if isinstance(value, datetime) and value.tzinfo is not None:
            yield value.astimezone(UTC)
        else:
            yield value


def lakehouse_settings(database: PostgresSettings, **more: Any) -> LakehouseSettings:
    fields = {name: getattr(database, name) for name in PostgresSettings.model_fields}
    return LakehouseSettings(**{"bucket_name": "unused", **fields, **more})


@contextmanager
def folder_lakehouse(database: PostgresSettings, root: Path, **more: Any) -> Iterator[Lakehouse]:
    """Give an initialised lakehouse whose tables lie in a directory."""
    settings = lakehouse_settings(database, **more)
    processed = root / "processed"
    place = f"file://{processed}"
    namespace = "n" + hashlib.md5(bytes(root), usedforsecurity=False).hexdigest()[:12]
    catalog = SqlCatalog("coco", uri=database_uri(settings), warehouse=place)
    with (
        closing(Tables(catalog, namespace, place)) as tables,
        connect(settings) as connection,
        connect(settings) as locks,
    ):
        tables.make()
        personal = settings.lakehouse_personal_columns
        tables.follow(stored_columns(connection, personal))
        connection.rollback()
        feed.install(connection)
        batch = Place(
            connection,
            tables,
            FolderLake(processed),
            personal,
            settings.lakehouse_batch_days,
        )
        yield Lakehouse(settings, batch, locks)


def execute(lakehouse: Lakehouse, statement: str) -> psycopg.Cursor[Any]:
    with lakehouse.connection.transaction():
        return lakehouse.connection.execute(statement.encode())
