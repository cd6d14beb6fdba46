"""Drives the batch loader on a real database, and reads what the tables then say."""

import asyncio
import json
import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, contextmanager
from decimal import Decimal
from typing import Any

import psycopg
from psycopg import AsyncConnection, sql
from psycopg.rows import dict_row
from psycopg.types.json import set_json_loads

from consumer.load.database import is_conflict, open_pool
from consumer.load.document import LoadRequest, StagedDocument
from consumer.load.migrate import migrate
from consumer.load.transaction import load_batch
from consumer.settings import DatabaseSettings
from schemas.codes import State
from tests.support.facts import TABLES as DATA_TABLES

BOOKKEEPING = (
    "check_patches",
    "store_day_snapshots",
    "store_day_gaps",
    "ingested_objects",
    "schema_drift",
)
PROVENANCE = frozenset({"object_id", "as_of", "latest_credible", "patched", "removed_at"})


def database_settings(database: Mapping[str, str]) -> DatabaseSettings:
    """Read the fixture's variables as the consumer reads its environment."""
    fields = {name.lower(): value for name, value in database.items()}
    return DatabaseSettings.model_validate(fields)


class Warehouse:
    """A migrated database, sessions that load into it and one that looks."""

    def __init__(
        self,
        settings: DatabaseSettings,
        runner: asyncio.Runner,
        sessions: list[AsyncConnection],
        look: psycopg.Connection[Any],
    ) -> None:
        self.settings = settings
        self.runner = runner
        self.sessions = sessions
        self._look = look

    def load(self, *documents: StagedDocument | LoadRequest, session: int = 0) -> dict[int, State]:
        """Load documents in one transaction of one session."""
        return self.runner.run(load_batch(self.sessions[session], requests(*documents)))

    def load_at_once(self, shares: Sequence[Sequence[Sequence[StagedDocument]]]) -> None:
        """Let each session load its share of batches while the others load theirs."""

        async def load_share(
            session: AsyncConnection, batches: Sequence[Sequence[StagedDocument]]
        ) -> None:
            for batch in batches:
                await load_retrying(session, batch)

        async def load_all() -> None:
            work = zip(self.sessions, shares, strict=True)
            await asyncio.gather(*(load_share(session, share) for session, share in work))

        self.runner.run(load_all())

    def query(self, statement: str, *parameters: Any) -> list[dict[str, Any]]:
        """Run a query."""
        return self._look.execute(statement.encode(), parameters or None).fetchall()

    def empty(self) -> None:
        """Forget everything that was loaded."""
        # Lines are tied to both checks and items, so they go first.
        tables = ("detail_lines", *reversed(DATA_TABLES), *BOOKKEEPING)
        self._look.execute("; ".join(f"DELETE FROM {table}" for table in tables).encode())

    def rows(self, table: str, stores: Iterable[str] | None = None) -> list[dict[str, Any]]:
        """Return the live rows of a table: what documents say, without provenance and nulls."""
        return [_content(row) for row in self._all(table, stores) if row["removed_at"] is None]

    def removed(self, table: str, stores: Iterable[str] | None = None) -> list[dict[str, Any]]:
        """Return the removed rows of a table, likewise."""
        return [_content(row) for row in self._all(table, stores) if row["removed_at"] is not None]

    def versions(self, stores: Iterable[str]) -> dict[str, list[Any]]:
        """Return who wrote each row where: equal before and after if nothing was rewritten."""
        wanted = list(stores)
        return {
            table: self.query(
                f"SELECT xmin::text, ctid::text FROM {table} WHERE store_id = ANY (%s)"
                " ORDER BY ctid",
                wanted,
            )
            for table in (*DATA_TABLES, "store_day_snapshots")
        }

    def _all(self, table: str, stores: Iterable[str] | None) -> list[dict[str, Any]]:
        if stores is None:
            return self.query(f"SELECT * FROM {table} ORDER BY 1, 2, 3")
        wanted = list(stores)
        return self.query(
            f"SELECT * FROM {table} WHERE store_id = ANY (%s) ORDER BY 1, 2, 3", wanted
        )


def requests(*documents: StagedDocument | LoadRequest) -> list[LoadRequest]:
    """Ask for documents to be loaded, with nothing to know beside them."""
    return [one if isinstance(one, LoadRequest) else LoadRequest(one) for one in documents]


def _content(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: value for name, value in row.items() if value is not None and name not in PROVENANCE
    }


async def load_retrying(
    session: AsyncConnection, batch: Sequence[StagedDocument]
) -> dict[int, State]:
    """Load a batch, again after a conflict with another session, as the service does."""
    for _ in range(20):
        try:
            return await load_batch(session, requests(*batch))
        except psycopg.Error as error:
            if not is_conflict(error):
                raise
    raise AssertionError("twenty conflicts in a row")


@contextmanager
def own_database(server: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """Give the DB_* variables of an empty database on a server, for a whole module of tests."""
    variables = {name: value for name, value in server.items() if name.startswith("DB_")}
    name = f"test_{secrets.token_hex(6)}"
    conninfo = database_settings(variables).conninfo
    with psycopg.connect(**conninfo, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        yield {**variables, "DB_NAME": name}
        drop = sql.SQL("DROP DATABASE {} WITH (FORCE)")
        connection.execute(drop.format(sql.Identifier(name)))


@contextmanager
def open_warehouse(database: Mapping[str, str], sessions: int = 2) -> Iterator[Warehouse]:
    """Migrate a database and open sessions on it, prepared as the consumer prepares its own."""
    settings = database_settings(database)
    migrate(settings)
    with (
        asyncio.Runner() as runner,
        psycopg.connect(**settings.conninfo, autocommit=True, row_factory=dict_row) as look,
    ):
        look.execute("SET TIME ZONE 'UTC'")
        set_json_loads(lambda text: json.loads(text, parse_float=Decimal), look)
        stack = AsyncExitStack()

        async def enter() -> list[AsyncConnection]:
            pool = await stack.enter_async_context(open_pool(settings, sessions))
            connections = [
                await stack.enter_async_context(pool.connection()) for _ in range(sessions)
            ]
            for connection in connections:
                await connection.set_autocommit(True)
            return connections

        opened = runner.run(enter())
        try:
            yield Warehouse(settings, runner, opened, look)
        finally:
            runner.run(stack.aclose())
