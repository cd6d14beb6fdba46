"""What proofs work with, and what they find about some store-days."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from psycopg import AsyncConnection

from consumer.operate.proof.differences import Cause, Difference, Kind
from consumer.operate.proof.documents import LakeObject, Listing, Reading
from consumer.operate.proof.free_documents import FreeDocuments
from schemas.key_templates import DocumentKey, TemplateKey
from schemas.registry import Source

Place = tuple[str, date | None]  # store and day; no day: checks that do not say when they opened


@dataclass(frozen=True)
class Means:
    """What proofs work with; `later` is a session that sees the ledger as it is now."""

    session: AsyncConnection[Any]
    later: AsyncConnection[Any]
    listing: Listing
    reading: Reading
    free: FreeDocuments
    bucket: str
    sources: Sequence[Source]
    settled: timedelta  # objects that are younger may still be under way

    @property
    def check_sources(self) -> list[Source]:
        """The sources that hold checks, if they are asked for."""
        return [source for source in self.sources if source.holds_checks]


@dataclass
class Proof:
    """What was found about some store-days."""

    differences: list[Difference] = field(default_factory=list)
    documents: int = 0
    waiting: int = 0
    # What a repair reads: the checks that differ, and every object that speaks of what differs.
    checks: set[tuple[str, int]] = field(default_factory=set)
    objects: list[LakeObject] = field(default_factory=list)

    def differs(self, key: DocumentKey) -> bool:
        """Say whether rows differ of the list that an answer is, and the lake can mend them."""
        if key.source.holds_checks:
            return False
        place = key.source.entry.table, (key.store_id or "").strip(), key.bus_dt
        rows = [one for one in self.differences if one.table == place[0]]
        causes = {
            one.cause
            for one in rows
            if isinstance(key, TemplateKey)
            or (one.table, one.key.get("store_id"), one.bus_dt) == place
        }
        return bool(causes) and Cause.OBJECT_GONE not in causes

    def strays(self, source: Source) -> list[Difference]:
        """Return rows of a list that stand on days of which the lake has no answer at all."""
        answers = [one.key for one in self.objects if one.key.source is source]
        if any(isinstance(key, TemplateKey) for key in answers):
            return []
        days = {((key.store_id or "").strip(), key.bus_dt) for key in answers}
        return [
            one
            for one in self.differences
            if one.table == source.entry.table
            and one.kind is Kind.EXTRA
            and one.cause is not Cause.OBJECT_GONE
            and (one.key["store_id"], one.bus_dt) not in days
        ]
