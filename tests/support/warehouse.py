"""Drives the batch loader on a real database, and reads what the tables then say."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, contextmanager
from typing import Any

import psycopg
from psycopg import AsyncConnection, sql

from consumer.load.database import is_conflict, open_pool
from consumer.load.document import LoadRequest, StagedDocument
from consumer.load.transaction import load_batch
from consumer.settings import DatabaseSettings
from schemas.codes import State
from tests.support.databases import conninfo, own_database
from tests.support.migrated import with_tables
from tests.support.tables import DATA_TABLES, Tables, looking

BOOKKEEPING = (
    "check_patches",
    "store_days",
    "object_findings",
    "drift_findings",
    "forgotten_drift",
    "object_events",
    "dead_letters",
    "causes",
    "expected_stores",
    "operator_action_items",
    "operator_actions",
    "ingested_objects",
)


def database_settings(database: Mapping[str, str]) -> DatabaseSettings:
    """Read the fixture's variables as the consumer reads its environment."""
    fields = {name.lower(): value for name, value in database.items()}
    return DatabaseSettings.model_validate(fields)


class Warehouse(Tables):
    """A migrated database, sessions that load into it and one that looks."""

    def __init__(
        self,
        settings: DatabaseSettings,
        runner: asyncio.Runner,
        sessions: list[AsyncConnection],
        look: psycopg.Connection[Any],
    ) -> None:
        super().__init__(look)
        self.settings = settings
        self.runner = runner
        self.sessions = sessions

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

    def empty(self) -> None:
        """Forget everything that was loaded."""
        # Lines are tied to both checks and items, so they go first.
        tables = ("detail_lines", *reversed(DATA_TABLES), *BOOKKEEPING)
        self._look.execute("; ".join(f"DELETE FROM {table}" for table in tables).encode())


def requests(*documents: StagedDocument | LoadRequest) -> list[LoadRequest]:
    """Ask for documents to be loaded, with nothing to know beside them."""
    return [one if isinstance(one, LoadRequest) else LoadRequest(one) for one in documents]


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
def open_warehouse(database: Mapping[str, str], sessions: int = 2) -> Iterator[Warehouse]:
    """Migrate a database and open sessions on it, prepared as the consumer prepares its own."""
    settings = database_settings(database)
    with_tables(database)
    with (
        asyncio.Runner() as runner,
        looking(database) as look,
    ):
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


@contextmanager
def zoned_warehouse(server: Mapping[str, str]) -> Iterator[Warehouse]:
    """Give a warehouse on a server whose own zone is the stores': it must not matter."""
    with own_database(server) as database:
        with psycopg.connect(**conninfo(database), autocommit=True) as connection:
            name = sql.Identifier(database["DB_NAME"])
            statement = sql.SQL("ALTER DATABASE {} SET timezone = 'America/Sao_Paulo'")
            connection.execute(statement.format(name))
        with open_warehouse(database, sessions=1) as warehouse:
            yield warehouse
