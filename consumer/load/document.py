"""What is loaded: one document ready to load, and the request to load it."""

from collections.abc import Callable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Self

from consumer.causes import Cause
from consumer.documents.frames import Frame
from consumer.drift.findings import Drift
from consumer.rows.row_writer import StagedRows
from schemas.envelopes import ObjectEvent


@dataclass(frozen=True, slots=True)
class Identity:
    """Which object version a document is, and when it was written and received."""

    event: ObjectEvent
    version_id: str | None
    etag: str
    last_modified: datetime
    received_at: datetime
    attempts: int

    @property
    def key(self) -> tuple[str, str, str]:
        """What identifies the object version in the ledger."""
        return self.event.bucket, self.event.key, self.version_id or self.etag

    @property
    def event_time(self) -> datetime:
        """When the object was written, to the precision that is known."""
        return self.event.event_time or self.last_modified


@dataclass(frozen=True, slots=True)
class Gap:
    """Which rows a store-day answer does not tell of: what is stored of quarantined ones stays.

    `tells` says whether `record_ids` are the only rows it tells of, because the id of a
    quarantined one cannot be read, or the only ones it does not.
    """

    tells: bool
    record_ids: tuple[str, ...]

    @classmethod
    def of(cls, valid: AbstractSet[str], quarantined: AbstractSet[str | None]) -> Self:
        """Return what an answer does not tell; the id of a quarantined row may be None."""
        if None in quarantined:
            return cls(tells=True, record_ids=tuple(sorted(valid)))
        unread = {record_id for record_id in quarantined if record_id is not None}
        return cls(tells=False, record_ids=tuple(sorted(unread - valid)))


@dataclass(frozen=True, slots=True)
class StagedDocument:
    """One document, ready to load. `number` is unique in this process.

    `days` are its business days; its fields are counted on the first of them. `gap` is of a
    store-day answer with quarantined rows. `alias_fingerprint` is of the renames it was read with,
    `read_as` of all that tells how it was read.
    `record_count` includes the unchanged ones, which were not read. `digest` is of a list as a
    whole, see `consumer.decoding.cutting`.
    """

    number: int
    identity: Identity
    frame: Frame
    rows: StagedRows
    record_count: int = 0
    unchanged_count: int = 0
    quarantined_count: int = 0
    days: tuple[date, ...] = ()
    gap: Gap | None = None
    drift: Drift = field(default_factory=Drift)
    alias_fingerprint: str | None = None
    read_as: bytes | None = None
    digest: bytes | None = None


class ChangedMeanwhile(Exception):
    """Records of documents `numbers`, left unread because they stood, were changed since then.

    Nothing of their batch was committed; read in full, they can be loaded.
    """

    def __init__(self, numbers: AbstractSet[int]) -> None:
        super().__init__(f"unread records of {len(numbers)} documents were changed")
        self.numbers = numbers


@dataclass(frozen=True, slots=True)
class LoadRequest:
    """A document to load, and the error and the cause of its quarantined records.

    `is_wanted` says whether its message is still ours; if not, it must not be committed.
    """

    document: StagedDocument
    is_wanted: Callable[[], bool] = lambda: True
    error_message: str | None = None
    error_log_key: str | None = None
    cause: Cause | None = None
