"""Which objects of the lake's newest days are said never to have arrived, without servers."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

from consumer.operate.watch import find_unreceived
from schemas.envelopes import ObjectEvent
from tests.support.consumer_fakes import BUCKET, play


class Bucket:
    """Exports without end, one a page; every other one was written just now."""

    def __init__(self) -> None:
        self.pages_listed = 0

    async def pages(self, prefix: str) -> AsyncIterator[list[ObjectEvent]]:
        now = datetime.now(UTC)
        while prefix == "raw/erp/":
            self.pages_listed += 1
            ages = {"old": timedelta(minutes=11), "new": timedelta(minutes=9)}
            yield [
                ObjectEvent(
                    BUCKET,
                    f"raw/erp/{self.pages_listed}-{name}.json",
                    "ObjectCreated:Reconciled",
                    etag="e",
                    event_time=now - age,
                )
                for name, age in ages.items()
            ]


class NoLedger:
    """A session whose ledger is empty."""

    async def execute(self, *_: Any) -> "NoLedger":
        return self

    async def fetchall(self) -> list[tuple[str, str]]:
        return []


def test_a_look_is_bounded_and_what_was_just_written_may_be_on_its_way() -> None:
    async def story() -> None:
        bucket: Any = Bucket()
        session: Any = NoLedger()
        found = await find_unreceived(bucket, session)
        assert [f"raw/erp/{page}-old.json" for page in range(1, 6)] == found
        assert 5 == bucket.pages_listed

    play(story())
