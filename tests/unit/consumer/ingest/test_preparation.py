"""Where documents are prepared: tiny ones at once, others where they keep nobody waiting."""

import gzip
from threading import get_ident
from typing import Any

import pytest

from consumer.ingest import preparation
from consumer.ingest.prepare import prepare
from tests.support.json_text import json_bytes
from tests.support.samples import ALIASES, NO_LIMIT, checks, fetched, full_check

TINY = json_bytes(checks(full_check(1)))


@pytest.mark.parametrize(
    ("data", "at_once"),
    [(TINY, True), (TINY + b" " * 2048, False), (gzip.compress(TINY), False)],
)
async def test_only_a_tiny_document_that_is_not_packed_is_prepared_at_once(
    data: bytes, *, at_once: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads = []

    def noted(*arguments: Any) -> Any:
        threads.append(get_ident())
        return prepare(*arguments)

    monkeypatch.setattr(preparation, "prepare", noted)
    prepared = await preparation.Preparation(ALIASES, NO_LIMIT, 1).prepare(fetched(data))
    assert 1 == prepared.document.record_count
    assert at_once == (threads == [get_ident()])
