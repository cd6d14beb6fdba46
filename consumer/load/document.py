"""What is loaded: one document ready to load, and the request to load it.

Values: whoever prepares a document builds it in one go, and nobody changes it afterwards.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from consumer.documents.frames import Frame
from consumer.drift.findings import Finding
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
class StagedDocument:
    """One document, ready to load. `number` is unique in this process.

    Of the rows that were quarantined, `keep_ids` are the ids that could be read; `keep_all` says
    that one could not.
    """

    number: int
    identity: Identity
    frame: Frame
    rows: StagedRows
    record_count: int = 0
    quarantined_count: int = 0
    keep_all: bool = False
    keep_ids: tuple[str, ...] = ()
    findings: Mapping[Finding, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ErrorNote:
    """What the ledger says about a document with quarantined records."""

    message: str
    log_key: str


@dataclass(frozen=True, slots=True)
class LoadRequest:
    """A document to load, and what the load needs to know beside it.

    `is_wanted` says, whenever it is asked, whether the document's message is still ours; if not,
    the document must not be committed.
    """

    document: StagedDocument
    is_wanted: Callable[[], bool] = lambda: True
    error_note: ErrorNote | None = None
