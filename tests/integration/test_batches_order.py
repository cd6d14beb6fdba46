"""The ledger: one row for an object version, and its place in the order of events."""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import permutations
from typing import Any

import pytest

from consumer.load.database import open_pool
from consumer.load.document import StagedDocument
from consumer.load.ledger import Entry, record_entry
from schemas.codes import ErrorCode, State
from schemas.envelopes import ObjectEvent
from tests.support.loading import column, load, load_day, load_in_every_order
from tests.support.samples import NOON, STORE, checks, full_check, staged
from tests.support.warehouse import Warehouse

CURUTC = "2024-06-01T00:00:00"


def test_an_object_loaded_twice_stays_loaded(warehouse: Warehouse) -> None:
    document = checks(full_check(1))
    assert State.LOADED == load(warehouse, document)
    load(warehouse, checks(full_check(1, 1)), number=1, key="raw/erp/b.json")
    assert State.LOADED == load(warehouse, document)
    ledger = warehouse.query("SELECT state FROM ingested_objects ORDER BY object_id")
    assert ["loaded", "loaded"] == [row["state"] for row in ledger]


def test_a_second_version_of_one_key_with_a_constant_sequencer_is_loaded(
    warehouse: Warehouse,
) -> None:
    """LocalStack gives every event the same one: equal must not mean stale."""
    first, second = (
        staged(checks(full_check(1, version, gstCnt=version)), number=version) for version in (1, 2)
    )
    for document in (first, second):
        object.__setattr__(document.identity.event, "sequencer", "0055AED6DCD90281E5")
        assert State.LOADED == warehouse.load(document)[document.number]
    assert [2] == column(warehouse, "guest_checks", "gst_cnt")


def test_the_ledger_has_a_row_for_each_object_version(warehouse: Warehouse) -> None:
    load_day(
        warehouse, {"transactionId": 1}, {"transactionId": 2, "amount": {}}, key="raw/x", number=3
    )
    [row] = warehouse.query("SELECT * FROM ingested_objects")
    expected = {
        "bucket": "lake",
        "object_key": "raw/x",
        "source": "getTransactions",
        "store_id": STORE,
        "bus_dt": date(2024, 1, 1),
        "state": "dead_lettered",
        "error_code": "records_invalid",
        "records": 1,
        "quarantined": 1,
        "attempts": 1,
        "sequencer": "3",
    }
    assert expected == {name: row[name] for name in expected}


@dataclass(frozen=True)
class Put:
    """A version of check 1 that ties with all others but for its event."""

    value: int
    key: str
    seconds: float
    sequencer: str | None = None
    etag: str = ""

    def staged(self, store: str = STORE) -> StagedDocument:
        document = staged(
            checks(full_check(1, gstCnt=self.value), store=store, curUTC=CURUTC),
            key=f"raw/erp/{self.key}-{store}.json",
        )
        identity = document.identity
        time = NOON + timedelta(seconds=self.seconds)
        event = replace(identity.event, event_time=time, sequencer=self.sequencer)
        etag = self.etag or f"{self.key}-{self.value}"
        return replace(document, identity=replace(identity, event=event, etag=etag))


@pytest.mark.parametrize(
    ("writes", "expected"),
    [
        pytest.param([Put(1, "a", 2, "01"), Put(2, "a", 1, "02")], 2, id="sequencer"),
        pytest.param([Put(1, "a", 2, "0A"), Put(2, "a", 1, "0a1")], 2, id="padded, without case"),
        pytest.param([Put(2, "a", 2, "01"), Put(1, "a", 1, "0100")], 2, id="equal when padded"),
        pytest.param([Put(2, "a", 1, "01"), Put(1, "a", 2, "01")], 1, id="constant sequencer"),
        pytest.param([Put(1, "a", 1, "02"), Put(2, "b", 2, "01")], 2, id="two keys: the time"),
        pytest.param([Put(1, "b", 1, "02"), Put(2, "a", 2, "01")], 2, id="two keys, by no name"),
        pytest.param([Put(1, "a", 1, "02"), Put(2, "a", 2)], 2, id="one has none: the time"),
        pytest.param(
            [Put(1, "a", 3, "01"), Put(2, "a", 2, "02"), Put(3, "a", 1, "03")], 3, id="three"
        ),
        pytest.param(
            [Put(1, "a", 2, "01"), Put(2, "a", 1, "02"), Put(3, "b", 3, "00")], 3, id="and a later"
        ),
        pytest.param(
            [Put(1, "a", 3, "01"), Put(2, "a", 2, "02"), Put(3, "b", 1, "09")], 2, id="an earlier"
        ),
    ],
)
def test_of_equal_versions_the_last_write_counts_by_sequencer_in_a_key_and_by_time_between_keys(
    warehouse: Warehouse, writes: list[Put], expected: int
) -> None:
    stores = load_in_every_order(
        warehouse, len(writes), lambda number, store: writes[number].staged(store)
    )
    for store in stores:
        assert [expected] == [row["gst_cnt"] for row in warehouse.rows("guest_checks", [store])]


def test_bytes_that_were_put_again_are_as_new_as_their_last_write(warehouse: Warehouse) -> None:
    """Without versioning their ETag, and with it their ledger row, is the same."""
    writes = [Put(1, "a", 1, "01", "x"), Put(2, "a", 2, "02", "y"), Put(1, "a", 3, "03", "x")]
    for order in permutations(writes):
        warehouse.empty()
        for write in order:
            warehouse.load(write.staged())
        assert [1] == column(warehouse, "guest_checks", "gst_cnt"), order
        assert [{"count": 2}] == warehouse.query("SELECT count(*) FROM ingested_objects")


def refuse(warehouse: Warehouse, event: ObjectEvent, code: ErrorCode) -> None:
    """Write the ledger entry of an object that could not be read."""
    entry = Entry(event, State.DEAD_LETTERED, NOON, 1, code, "why")

    async def record() -> None:
        async with open_pool(warehouse.settings, 1) as pool:
            await record_entry(pool, entry)

    warehouse.runner.run(record())


def ledger(warehouse: Warehouse) -> list[tuple[Any, ...]]:
    rows = warehouse.query("SELECT * FROM ingested_objects ORDER BY object_id")
    return [(row["state"], row["version_id"], row["etag"]) for row in rows]


@pytest.mark.parametrize("version_id", [None, "v1"])
@pytest.mark.parametrize("known", [(), ("etag",)], ids=["without ETag", "with ETag"])
@pytest.mark.parametrize("timed", [True, False])
def test_an_object_that_was_refused_unread_keeps_its_row_when_it_is_read(
    warehouse: Warehouse, version_id: str | None, known: tuple[str, ...], *, timed: bool
) -> None:
    """Only then its version is known; refused once more, it still is that version."""
    document = Put(1, "a", 0, "01", "tag").staged()
    event = replace(
        document.identity.event,
        etag="tag" if known else None,
        event_time=document.identity.event.event_time if timed else None,
    )
    document = replace(
        document, identity=replace(document.identity, event=event, version_id=version_id)
    )
    refuse(warehouse, event, ErrorCode.OBJECT_TOO_LARGE)
    warehouse.load(document)
    assert [("loaded", version_id, "tag")] == ledger(warehouse)
    refuse(warehouse, event, ErrorCode.OBJECT_MISSING)
    assert [("loaded", version_id, "tag")] == ledger(warehouse)
    refuse(warehouse, event, ErrorCode.RECORDS_INVALID)
    assert [("dead_lettered", version_id, "tag")] == ledger(warehouse)


def test_another_event_s_refusal_stays_in_the_ledger(warehouse: Warehouse) -> None:
    document = Put(1, "a", 0, "01", "tag").staged()
    earlier = replace(document.identity.event, sequencer="00", event_time=NOON)
    refuse(warehouse, earlier, ErrorCode.OBJECT_MISSING)
    warehouse.load(document)
    assert [("dead_lettered", None, None), ("loaded", None, "tag")] == ledger(warehouse)
