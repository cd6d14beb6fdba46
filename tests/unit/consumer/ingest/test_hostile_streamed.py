"""A hostile document ends the same way read whole, as a stream, and gzipped."""

import gzip
from dataclasses import replace

import pytest

import consumer.decoding.record_stream as splitting_module
from consumer.errors import Permanent
from consumer.ingest.prepare import prepare
from consumer.spool import Spool
from tests.support.hostile import DOCUMENTS, Ending
from tests.support.samples import ALIASES, NO_LIMIT, fetched


def ending(document: bytes, *, streamed: bool) -> Ending:
    """Prepare a document and say how it ends."""
    found = fetched(document)
    if streamed:
        spool = Spool(1 << 20)
        spool.append(document)
        found = replace(found, data=spool)
    try:
        prepared = prepare(found, ALIASES, NO_LIMIT)
    except Permanent as error:
        return error.code
    count = prepared.document.quarantined_count
    codes = tuple(record.code for record in prepared.quarantined)
    # The log lists a thousand; the others are counted.
    return codes + codes[-1:] * (count - len(codes))


@pytest.mark.parametrize("name", list(DOCUMENTS))
def test_a_document_ends_as_it_must_however_it_is_read(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    document, expected = DOCUMENTS[name]
    # Runs as small as the document allows without taking minutes.
    monkeypatch.setattr(splitting_module, "_RUN_BYTES", 1 + len(document) // 500)
    for stored in (document, gzip.compress(document)):
        assert expected == ending(stored, streamed=False)
        assert expected == ending(stored, streamed=True)
