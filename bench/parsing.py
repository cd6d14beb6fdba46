"""Parsing and validating, against the fastest JSON parser (which has no decimals, no checks)."""

from collections.abc import Sequence

import orjson

from bench.documents import Document
from bench.timing import Seconds, in_turns, timed
from consumer.decode import decode
from schemas.aliases import load_aliases
from schemas.documents import Records, read_records, record_reader
from schemas.frames import open_document
from schemas.keys import ErpKey

_REPEATS = 5


def measure(documents: Sequence[Document]) -> tuple[Seconds, Seconds]:
    """Return what parsing with validation takes, and what orjson takes for the same bytes."""
    ours, bare = in_turns(
        (
            lambda: timed(lambda: [_read(document) for document in documents]),
            lambda: timed(lambda: [orjson.loads(document.data) for document in documents]),
        ),
        _REPEATS,
    )
    return ours, bare


def _read(document: Document) -> Records:
    aliases = load_aliases()
    root = decode(document.data).root
    frame, rows = open_document(root, document.source, ErpKey(), aliases)
    records = read_records(record_reader(frame, aliases), rows)
    assert not records.quarantined
    return records
