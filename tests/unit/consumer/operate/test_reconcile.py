"""Reconciling a lake of several pages, without servers."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from consumer.errors import StorageUnavailable
from consumer.operate.reconcile import announce, find_forgotten
from schemas.envelopes import ObjectEvent, decode_body
from tests.support.consumer_fakes import BUCKET, FakeQueue, play


def listed(key: str, etag: str = "e1") -> ObjectEvent:
    return ObjectEvent(BUCKET, key, "ObjectCreated:Reconciled", etag=etag)


class Pages:
    """A bucket of two pages."""

    async def pages(self, prefix: str) -> AsyncIterator[list[ObjectEvent]]:
        assert prefix == "raw/"
        yield [
            listed("raw/"),
            listed("raw/erp/"),
            listed("raw/erp/a.json"),
            listed("raw/erp/b.json"),
            listed("raw/erp/notes.txt"),
        ]
        yield [listed("raw/erp/c.json", "e2"), listed("raw/erp/d.json")]


class Ledger:
    """A session whose ledger has these rows; it keeps what it was asked about."""

    def __init__(self, *rows: tuple[str, str]) -> None:
        self.rows = rows
        self.asked: list[list[str]] = []

    async def execute(self, statement: Any, parameters: dict[str, Any]) -> "Ledger":
        assert "ingested_objects" in str(statement)
        self.asked.append(parameters["keys"])
        return self

    async def fetchall(self) -> list[tuple[str, str]]:
        return [row for row in self.rows if row[0] in self.asked[-1]]


def test_objects_without_a_row_of_their_version_are_found_on_every_page() -> None:
    async def story() -> None:
        ledger: Any = Ledger(("raw/erp/a.json", "e1"), ("raw/erp/c.json", "e1"))
        lake: Any = Pages()
        found = [page async for page in find_forgotten(lake, ledger, "raw/")]
        keys = [[event.key for event in page] for page in found]
        assert keys == [["raw/erp/b.json"], ["raw/erp/c.json", "raw/erp/d.json"]]
        # A page at a time, and no folder.
        assert [2, 2] == [len(asked) for asked in ledger.asked]

    play(story())


def test_what_is_announced_can_be_read_as_an_event() -> None:
    async def story() -> None:
        queue = FakeQueue()
        events = [listed(f"raw/erp/ü+{number} %.json") for number in range(23)]
        assert events == [event async for event in announce(events, queue)]
        told = [decode_body(message.body)[0] for message in queue.messages.values()]
        assert [event.key for event in events] == [
            item.key for item in told if isinstance(item, ObjectEvent)
        ]

    play(story())


def test_what_was_announced_before_a_failure_is_told() -> None:
    async def story() -> None:
        queue = FakeQueue()
        events = [listed(f"raw/erp/{number}.json") for number in range(23)]
        told: list[ObjectEvent] = []

        async def work() -> None:
            async for event in announce(events, queue):
                told.append(event)
                if len(told) == 10:
                    queue.failures["send"] = [StorageUnavailable("away")]

        with pytest.raises(StorageUnavailable):
            await work()
        assert events[:10] == told

    play(story())
