"""Ends of objects and rows of dead letters: what is written, when, and what heals."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from consumer.causes import cause_of, cause_of_records
from consumer.errors import Permanent, StorageUnavailable
from consumer.ingest.outcome import Failed
from consumer.load.database import open_pool
from consumer.load.document import LoadRequest
from consumer.load.ledger import DeadLetterRows, Entry, answer_again, record_entry
from consumer.messages.dead_letters import DeadLetters
from schemas.codes import ErrorCode, State
from schemas.envelopes import ObjectEvent
from schemas.layouts import OWN_LAYOUT
from tests.support.consumer_fakes import FakeLogs, FakeQueue, announcing, delivery
from tests.support.samples import NOON, checks, full_check, prepared
from tests.support.warehouse import Warehouse, open_warehouse

KEY = "raw/erp/a.json"
MISSING = Permanent(ErrorCode.OBJECT_MISSING, "gone")
BROKEN = Permanent(ErrorCode.JSON_MALFORMED, "not JSON at line 3; export it again")
BAD = {"guestCheckId": "x", "lastUpdatedUTC": "2024-01-01T00:00:00"}


@pytest.fixture
def warehouse(database: dict[str, str]) -> Iterator[Warehouse]:
    """Give a migrated database."""
    with open_warehouse(database, sessions=1) as opened:
        yield opened


def request(log: str | None, *records: Any, number: int = 1, key: str = KEY) -> LoadRequest:
    """Stage a version of an export; with a log it has quarantined records."""
    ready = prepared(checks(*records), number=number, key=key)
    identity = replace(ready.document.identity, etag=str(number))
    identity = replace(identity, event=replace(identity.event, etag=str(number)))
    document = replace(ready.document, identity=identity)
    if log is None:
        return LoadRequest(document)
    cause = cause_of_records(ready.quarantined, "erp")
    return LoadRequest(document, error_message="bad", error_log_key=log, cause=cause)


def ends(warehouse: Warehouse) -> list[tuple[Any, ...]]:
    rows = warehouse.query("SELECT * FROM object_events ORDER BY event_id")
    return [tuple(row[name] for name in ("state", "error_log_key", "records")) for row in rows]


def letters(warehouse: Warehouse) -> list[tuple[Any, ...]]:
    rows = warehouse.query("SELECT * FROM dead_letters ORDER BY dead_letter_id")
    return [tuple(row[name] for name in ("message_id", "state", "end_state")) for row in rows]


def record(warehouse: Warehouse, *entries: Entry) -> None:
    async def work() -> None:
        async with open_pool(warehouse.settings, 1) as pool:
            for entry in entries:
                await record_entry(pool, entry)

    warehouse.runner.run(work())


def refused(event: ObjectEvent, state: State, log: str | None, error: Permanent = BROKEN) -> Entry:
    if state is not State.DEAD_LETTERED:
        return Entry(event, state, NOON, 1)
    return Entry(event, state, NOON, 1, error.code, str(error), log, cause_of(error, "erp"))


class Sending:
    """Dead-letters on the real tables, with a queue that a test may stop."""

    def __init__(self, warehouse: Warehouse) -> None:
        self.warehouse, self.queue = warehouse, FakeQueue()
        self.is_killed_before_confirming = False

    def send(self, failed: Failed, message_id: str = "in", *, last: bool = False) -> None:
        async def story() -> None:
            async with open_pool(self.warehouse.settings, 2) as pool:
                rows = DeadLetterRows(pool)
                if self.is_killed_before_confirming:
                    rows.confirm = self._killed  # type: ignore[method-assign]  # a crash
                ledger = DeadLetters(
                    self.queue,  # type: ignore[arg-type]  # a fake
                    FakeLogs(),  # type: ignore[arg-type]  # a fake
                    lambda entry: record_entry(pool, entry),
                    rows,
                )
                body = announcing(failed.event.key) if failed.event else "{}"
                message = delivery(body, message_id=message_id)
                if last:
                    await ledger.note(message, failed, is_last=True)
                else:
                    await ledger.send(message, failed, alone=True)

        self.warehouse.runner.run(story())

    async def _killed(self, *_: str) -> None:
        raise KeyboardInterrupt


def test_every_end_that_differs_is_kept_and_a_redelivery_adds_none(warehouse: Warehouse) -> None:
    bad, good = (BAD, full_check(2)), (full_check(1), full_check(2))
    for log in ("log 1", "log 1", "log 2"):  # the second is a redelivery, the third a replay
        warehouse.load(request(log, *bad))
    for _ in range(2):
        warehouse.load(request(None, *bad[1:]))
    warehouse.load(request(None, *good, number=2))
    dead, loaded = State.DEAD_LETTERED, State.LOADED
    assert [(dead, "log 1", 1), (dead, "log 2", 1), (loaded, None, 1), (loaded, None, 2)] == ends(
        warehouse
    )
    events = warehouse.query("SELECT * FROM object_events ORDER BY event_id")
    assert [2, 2, 1] == [
        len({row[name] for row in events}) for name in ("object_id", "cause", "attempts")
    ]
    [now] = warehouse.query(
        "SELECT max(committed_at) AS at, max(cause) AS cause FROM ingested_objects"
    )
    assert (events[-1]["ended_at"], None) == (now["at"], now["cause"])


def test_an_object_that_no_batch_loads_has_its_ends_too(warehouse: Warehouse) -> None:
    event = ObjectEvent("lake", KEY, "ObjectCreated:Put", etag="e")
    dead = State.DEAD_LETTERED
    record(
        warehouse,
        refused(event, dead, "log 1"),
        refused(event, dead, "log 1"),
        refused(event, State.IGNORED, None),
        refused(event, dead, "log 2", MISSING),
        refused(event, State.SUPERSEDED, None),
    )
    assert [
        (dead, "log 1", 0),
        (State.IGNORED, None, 0),
        (dead, "log 2", 0),
        (State.SUPERSEDED, None, 0),
    ] == ends(warehouse)
    causes = warehouse.query("SELECT * FROM causes ORDER BY error_code")
    assert [("json_malformed", "not JSON at line N"), ("object_missing", "")] == [
        (row["error_code"], row["problem"]) for row in causes
    ]
    assert {row["cause"] for row in causes} == {
        row["cause"] for row in warehouse.query("SELECT cause FROM object_events") if row["cause"]
    }


def test_ends_follow_an_object_whose_version_turns_out_later(warehouse: Warehouse) -> None:
    document = request(None, full_check(1)).document
    event = replace(document.identity.event, version_id=None, etag=None)
    record(warehouse, refused(event, State.DEAD_LETTERED, "log"))
    warehouse.load(document)
    [ids] = warehouse.query("SELECT array_agg(DISTINCT object_id) AS ids FROM object_events")
    assert [
        [row["object_id"]] for row in warehouse.query("SELECT object_id FROM ingested_objects")
    ] == [ids["ids"]]
    assert 2 == len(ends(warehouse))


def test_a_dead_letter_is_unconfirmed_until_the_queue_took_it(warehouse: Warehouse) -> None:
    """Killed in between, it comes again: two copies lie on the queue, and one has its row."""
    sending = Sending(warehouse)
    event = ObjectEvent("lake", KEY, "ObjectCreated:Put", etag="e")
    sending.is_killed_before_confirming = True
    with pytest.raises(KeyboardInterrupt):
        sending.send(Failed(BROKEN, event))
    assert [(None, "unconfirmed", None)] == letters(warehouse)
    sending.is_killed_before_confirming = False
    sending.send(Failed(BROKEN, event))
    assert [("m2", "waiting", None)] == letters(warehouse)
    assert 2 == len(sending.queue.messages)
    [row] = warehouse.query("SELECT * FROM dead_letters")
    assert (KEY, "erp", "json_malformed", "in") == tuple(
        row[name] for name in ("object_key", "source", "error_code", "original_id")
    )
    assert [row["object_id"]] == [
        one["object_id"] for one in warehouse.query("SELECT * FROM ingested_objects")
    ]


def test_nothing_is_sent_while_its_row_cannot_be_written(warehouse: Warehouse) -> None:
    sending = Sending(warehouse)
    warehouse._look.execute("ALTER TABLE dead_letters RENAME TO hidden")
    with pytest.raises(Exception, match="schema is behind"):
        sending.send(Failed(BROKEN, ObjectEvent("lake", KEY, "ObjectCreated:Put", etag="e")))
    assert {} == sending.queue.messages


def test_what_the_redrive_policy_will_move_keeps_its_id_and_is_unconfirmed(
    warehouse: Warehouse,
) -> None:
    event = ObjectEvent("lake", KEY, "ObjectCreated:Put", etag="e")
    for _ in range(2):
        Sending(warehouse).send(Failed(StorageUnavailable("x"), event), "moved", last=True)
    assert [("moved", "unconfirmed", None)] == letters(warehouse)
    [row] = warehouse.query("SELECT redriven FROM dead_letters")
    assert row["redriven"]


def test_a_replay_ends_its_dead_letter_whatever_becomes_of_it(warehouse: Warehouse) -> None:
    """One that still waits ends when its object loads all the same, not when it fails once more."""
    documents = {name: request(name, BAD, key=f"raw/erp/{name}.json") for name in ("a", "b", "c")}
    sending = Sending(warehouse)
    for name, one in documents.items():
        warehouse.load(one)
        event = one.document.identity.event
        assert one.cause is not None
        failed = Failed(BROKEN, event, log_key=name, cause=one.cause)
        sending.send(failed, name)
    look = warehouse._look
    look.execute("UPDATE dead_letters SET state = 'replayed' WHERE error_log_key <> 'c'")
    warehouse.load(request("a again", BAD, key="raw/erp/a.json"))
    warehouse.load(request("c again", BAD, key="raw/erp/c.json"))
    warehouse.load(request("b", BAD, key="raw/erp/b.json"))  # the old message once more
    assert [
        ("m1", "replayed", "dead_lettered"), ("m2", "replayed", None), ("m3", "waiting", None)
    ] == letters(warehouse)  # fmt: skip
    record(warehouse, refused(documents["b"].document.identity.event, State.IGNORED, None))
    warehouse.load(request(None, key="raw/erp/c.json"))
    assert ["dead_lettered", "ignored", "loaded"] == [end for _, _, end in letters(warehouse)]


def test_an_answer_from_the_ledger_ends_a_replayed_dead_letter(warehouse: Warehouse) -> None:
    """The object was loaded and deleted; a late event dead-lettered it, and it was put again."""
    document = replace(request(None, full_check(1)).document, read_as=b"r")
    event = document.identity.event
    warehouse.load(document)
    Sending(warehouse).send(Failed(MISSING, event))
    assert [State.LOADED] == [state for state, *_ in ends(warehouse)]

    async def answer() -> bool:
        async with open_pool(warehouse.settings, 1) as pool:
            return await answer_again(pool, OWN_LAYOUT)(event, b"r", 2)

    assert warehouse.runner.run(answer())
    assert [("m1", "waiting", "loaded")] == letters(warehouse)


def test_a_message_without_an_object_ends_when_its_replay_fails_again(warehouse: Warehouse) -> None:
    sending = Sending(warehouse)
    failed = Failed(Permanent(ErrorCode.EVENT_MALFORMED, "not an event"))
    sending.send(failed, "first")
    warehouse._look.execute("UPDATE dead_letters SET state = 'replayed', original_id = 'second'")
    sending.send(failed, "second")
    assert [("m1", "replayed", "dead_lettered"), ("m2", "waiting", None)] == letters(warehouse)


def test_the_same_renamed_field_on_twenty_days_is_one_cause(warehouse: Warehouse) -> None:
    for day in range(20):
        one = request(f"log {day}", BAD, full_check(day + 2), number=day, key=f"raw/erp/{day}.json")
        warehouse.load(one)
        event = one.document.identity.event
        Sending(warehouse).send(Failed(BROKEN, event, f"log {day}", one.cause), f"in {day}")
    found = warehouse.query(
        "SELECT c.*, count(*) AS letters FROM dead_letters JOIN causes AS c USING (cause)"
        " GROUP BY c.cause"
    )
    assert [("erp", "records_invalid", "guestChecks.guestCheckId", 20)] == [
        (row["source"], row["error_code"], row["location"], row["letters"]) for row in found
    ]
