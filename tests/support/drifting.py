"""One consumer process as far as drift is concerned: it prepares documents, counts and shares."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from psycopg import AsyncConnection

from consumer.ingest.prepare import Knowledge, prepare
from consumer.load.document import StagedDocument
from consumer.load.field_counts import FieldCounts, share
from schemas.aliases import load_aliases
from schemas.registry import Source
from tests.support.samples import NO_LIMIT, fetched
from tests.support.warehouse import Warehouse


class Process:
    """What one consumer process counts, and how it prepares documents."""

    def __init__(self, warehouse: Warehouse) -> None:
        self.usual = FieldCounts()
        self._warehouse = warehouse
        self._knowledge = Knowledge(load_aliases(), self.usual)

    def staged(self, document: Any, source: Source = Source.ERP, **where: Any) -> StagedDocument:
        """Prepare a document and learn from it, as if it had been loaded."""
        prepared = prepare(fetched(document, source, **where), self._knowledge, NO_LIMIT)
        self.usual.learn(prepared.document, prepared.presences)
        return prepared.document

    def share(self) -> None:
        """Add what was counted to the tables, and infer."""
        pool = _OneSession(self._warehouse.sessions[0])
        self._warehouse.runner.run(share(self.usual, pool))  # type: ignore[arg-type]  # connects


class _OneSession:
    """A pool of one session that is open already."""

    def __init__(self, session: AsyncConnection) -> None:
        self._session = session

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[AsyncConnection]:
        """Lend the session."""
        yield self._session
