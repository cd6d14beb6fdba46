"""From an object's bytes to a document ready to load. Pure and CPU-heavy: runs in a thread."""

from collections import Counter
from dataclasses import dataclass
from itertools import count
from typing import Any

from consumer.batches import Identity, StagedDocument
from consumer.decode import decode, gunzip
from consumer.errors import Permanent
from consumer.staging import stage
from schemas.aliases import Aliases
from schemas.documents import UNKNOWN, Finding, Records, read_records
from schemas.frames import DocumentInvalid, Frame, open_document
from schemas.keys import ApiKey, ErpKey
from schemas.quarantine import Quarantined
from schemas.sources import Source
from schemas.storable import find_unstorable
from schemas.store_days import list_field

_numbers = count(1)
_DOCUMENT_NUMBERS = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Fetched:
    """An object's bytes, and whose they are."""

    identity: Identity
    source: Source
    key: ApiKey | ErpKey
    data: bytes


@dataclass(frozen=True, slots=True)
class Prepared:
    """A document ready to load and the records that were set aside."""

    document: StagedDocument
    quarantined: list[Quarantined]


def prepare(
    fetched: Fetched, aliases: Aliases, max_bytes: int, *, careful: bool = False
) -> Prepared:
    """Decode, validate and stage one object. CPU-bound; holds the interpreter for milliseconds.

    Args:
        fetched: The object.
        aliases: The renames in force.
        max_bytes: Largest document once decompressed.
        careful: Look into every value for what PostgreSQL cannot hold, even though parsing gave
            no reason to: after the database rejected the document.

    Raises:
        Permanent: the document as a whole is refused.
    """
    decoded = decode(gunzip(fetched.data, max_bytes))
    careful = careful or decoded.suspicious
    try:
        frame, rows = open_document(decoded.root, fetched.source, fetched.key, aliases)
        if careful:
            _screen_frame(decoded.root, fetched.source)
    except DocumentInvalid as error:
        raise Permanent(error.code, str(error), error.errors) from error
    records = read_records(frame, rows, aliases, find_unstorable if careful else None)
    return Prepared(_staged(fetched.identity, frame, records), records.quarantined)


def _screen_frame(root: dict[str, Any], source: Source) -> None:
    """Refuse a frame that cannot be stored; its records are screened one by one."""
    beside = root.copy()
    beside.pop(list_field(source), None)
    if problem := find_unstorable(beside):
        code, error = problem
        raise DocumentInvalid(code, error.message, (error,))


def _staged(identity: Identity, frame: Frame, records: Records) -> StagedDocument:
    number = next(_numbers) % _DOCUMENT_NUMBERS
    findings: Counter[Finding] = records.findings
    findings.update(Finding(name, UNKNOWN) for name in frame.unknown_fields)
    kept = [item.record_id for item in records.quarantined]
    return StagedDocument(
        number=number,
        identity=identity,
        frame=frame,
        staged=stage(frame, records.accepted, number),
        record_count=len(records.accepted),
        quarantined_count=len(kept),
        keep_all=None in kept,
        keep_ids=[record_id for record_id in kept if record_id is not None],
        findings=dict(findings),
    )
