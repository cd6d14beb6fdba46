"""One message in, the outcome of each of its objects out; the lake and the tables are stand-ins."""

import asyncio
import gzip
import json
from typing import Any
from unittest.mock import AsyncMock

import pytest

from consumer.aws.s3 import Larger, Outdated, ReadLimits, StoredObject
from consumer.errors import DatabaseUnavailable, LeaseLost, Permanent, StorageUnavailable
from consumer.ingest.handler import Handler, Known, Ports
from consumer.ingest.in_hand import ByteBudget
from consumer.ingest.outcome import Done, Failed, Outcome
from consumer.load.document import ChangedMeanwhile
from schemas.aliases import load_aliases
from schemas.codes import ErrorCode, State
from schemas.envelopes import ObjectEvent, created_body
from tests.support.consumer_fakes import BUCKET, FakeLedger, announcing, delivery
from tests.support.doctor_facts import settings
from tests.support.handler_fakes import FakeLake, FakeLoad
from tests.support.samples import checks, full_check, json_bytes

KEY = "raw/erp/a.json"
GOOD = json_bytes(checks(full_check(1), full_check(2)))
MIXED = json_bytes(checks(full_check(1), {"guestCheckId": "two"}))
REJECTED = Permanent(ErrorCode.DATA_REJECTED, "out of range")


class Bench:
    """A handler with everything around it."""

    def __init__(
        self,
        objects: dict[str, Any] | None = None,
        load: FakeLoad | None = None,
        known: Known | None = None,
    ) -> None:
        self.lake, self.load = FakeLake(**(objects or {})), load or FakeLoad()
        self.ledger = FakeLedger()
        self.byte_budget = ByteBudget(10**6)
        self.is_held = True
        self.was_loaded = AsyncMock(return_value=True)
        ports = Ports(
            self.lake,
            self.load,
            self.ledger.record,
            self.was_loaded,
            lambda _: self.is_held,
            known,
        )
        limits = {"max_object_bytes": 10**6, "max_decompressed_bytes": 10**6}
        rules = settings(bucket_name=BUCKET, stream_above_bytes=10**5, decode_threads=2, **limits)
        self.handler = Handler(rules, load_aliases(), ports, self.byte_budget)

    async def handle(self, body: str, receive_count: int = 2) -> list[Outcome]:
        return await self.handler.handle(delivery(body, receive_count=receive_count))

    async def failure(self, body: str) -> Failed:
        [outcome] = await self.handle(body)
        assert isinstance(outcome, Failed)
        return outcome


async def test_a_good_document_is_loaded_with_what_its_fields_held() -> None:
    bench = Bench({KEY: GOOD})
    assert await bench.handle(announcing(KEY)) == [Done(State.LOADED)]
    [request] = bench.load.requests
    assert request.document.record_count == 2
    assert request.document.identity.attempts == 2
    assert request.error_log_key is None
    assert bench.lake.written == {}
    assert request.document.drift.field_counts["guestChecks.guestCheckId"] == 2


@pytest.mark.parametrize("document", [b"[]", json_bytes(checks({"guestCheckId": "one"}))])
async def test_a_failure_is_a_newcomers_when_its_like_was_never_loaded(document: bytes) -> None:
    """A database that cannot say so is no reason to take it for one."""
    bench = Bench({KEY: document})
    assert not (await bench.failure(announcing(KEY))).is_newcomer
    bench.was_loaded.return_value = False
    assert (await bench.failure(announcing(KEY))).is_newcomer
    bench.was_loaded.side_effect = DatabaseUnavailable("away")
    assert not (await bench.failure(announcing(KEY))).is_newcomer


@pytest.mark.parametrize(
    "body", ["", '{"Records": []}', '{"Event": "s3:TestEvent"}', announcing("raw/erp/")]
)
async def test_what_asks_for_nothing_is_ignored_and_what_is_no_event_is_refused(body: str) -> None:
    bench = Bench()
    [outcome] = await bench.handle(body)
    if body:
        assert outcome == Done(State.IGNORED)
    else:
        assert isinstance(outcome, Failed)
        assert outcome.error.code is ErrorCode.EVENT_MALFORMED
        assert outcome.event is None
    assert bench.lake.fetched == []


async def test_each_record_of_a_message_has_its_own_end_in_their_order() -> None:
    bench = Bench({KEY: GOOD, "raw/erp/bad.json": b"{"})
    outcomes = await bench.handle(announcing("raw/erp/bad.json", KEY, "raw/erp/x/", "x.csv"))
    bad, good, folder, foreign = outcomes
    assert isinstance(bad, Failed)
    assert bad.error.code is ErrorCode.JSON_MALFORMED
    assert (good, folder) == (Done(State.LOADED), Done(State.IGNORED))
    assert isinstance(foreign, Failed)
    assert foreign.error.code is ErrorCode.UNKNOWN_SOURCE


async def test_good_records_are_loaded_with_the_log_of_the_bad_ones() -> None:
    """The log is there before the ledger names it."""
    bench = Bench({KEY: MIXED})
    failed = await bench.failure(announcing(KEY))
    assert failed.error.code is ErrorCode.RECORDS_INVALID
    [request] = bench.load.requests
    assert [request.error_log_key] == list(bench.lake.written) == [failed.log_key]
    document = request.document
    assert (document.record_count, document.quarantined_count) == (1, 1)
    assert document.drift.field_counts["guestChecks.guestCheckId"] == 1


async def test_what_changed_since_it_was_left_unread_is_read_from_what_was_fetched() -> None:
    """A second answer would be of another time: it is not asked for again."""
    records = [full_check(number, chkName="n" * 1000) for number in range(20)]
    find_standing = AsyncMock(return_value={0: None, 1: None})
    load = FakeLoad(ChangedMeanwhile({1}))
    known = Known(find_standing, AsyncMock(return_value=False))
    bench = Bench({KEY: json_bytes(checks(*records))}, load, known)
    assert await bench.handle(announcing(KEY)) == [Done(State.LOADED)]
    [document] = bench.load.documents
    assert (document.record_count, document.unchanged_count) == (20, 0)
    assert [KEY] == bench.lake.fetched
    find_standing.assert_awaited_once()


@pytest.mark.parametrize(
    ("size_bytes", "receive_count", "forced", "asked"),
    [
        (20_000, 1, False, True),
        (20_000, 1, True, False),
        (100, 1, False, False),
        (100, 2, False, True),
        (None, 1, False, False),
    ],
)
async def test_the_ledger_is_asked_where_its_answer_saves_something(
    size_bytes: int | None, receive_count: int, *, forced: bool, asked: bool
) -> None:
    """Then nothing is downloaded and nothing loaded."""
    known = Known(AsyncMock(return_value={}), AsyncMock(return_value=True))
    bench = Bench({KEY: GOOD}, known=known)
    event = ObjectEvent(BUCKET, KEY, "ObjectCreated:Put", None, "e", size_bytes, is_forced=forced)
    body = created_body(event)
    assert [Done(State.LOADED)] == await bench.handle(body, receive_count)
    assert asked == known.answer_again.await_count  # type: ignore[attr-defined]  # a mock
    assert asked == (not bench.lake.fetched)
    assert int(not asked) == len(bench.load.requests)


async def test_a_log_that_cannot_be_written_stops_the_load() -> None:
    bench = Bench({KEY: MIXED})
    bench.lake.failures = [StorageUnavailable("away")]
    failed = await bench.failure(announcing(KEY))
    assert failed.error.code is ErrorCode.STORAGE_UNAVAILABLE
    assert bench.load.documents == []


async def test_what_only_the_database_refuses_is_the_document_s_fault() -> None:
    bench = Bench({KEY: GOOD}, FakeLoad(REJECTED))
    failed = await bench.failure(announcing(KEY))
    assert failed.error is REJECTED
    assert bench.load.documents == []


@pytest.mark.parametrize(
    "trouble",
    [
        StorageUnavailable("away"),
        Permanent(ErrorCode.OBJECT_MISSING, "gone"),
        ZeroDivisionError("bug"),
    ],
)
async def test_whatever_reading_raises_is_that_object_s_outcome(trouble: Exception) -> None:
    bench = Bench({KEY: trouble, "raw/erp/b.json": GOOD})
    failed, good = await bench.handle(announcing(KEY, "raw/erp/b.json"))
    assert isinstance(failed, Failed)
    expected = getattr(trouble, "code", ErrorCode.INTERNAL)
    assert failed.error.code is expected
    assert failed.event is not None
    assert failed.event.key == KEY
    assert good == Done(State.LOADED)


async def test_a_database_that_is_down_is_told_as_such() -> None:
    bench = Bench({KEY: GOOD}, FakeLoad(DatabaseUnavailable("down")))
    failed = await bench.failure(announcing(KEY))
    assert failed.error.code is ErrorCode.DATABASE_UNAVAILABLE
    assert failed.log_key is None


async def test_an_overwritten_object_is_superseded_in_the_ledger() -> None:
    bench = Bench({KEY: Outdated("newer")})
    assert await bench.handle(announcing(KEY)) == [Done(State.SUPERSEDED)]
    [entry] = bench.ledger.entries
    assert (entry.state, entry.attempts) == (State.SUPERSEDED, 2)
    bench.ledger.failures = [DatabaseUnavailable("down")]
    assert (await bench.failure(announcing(KEY))).error.code is ErrorCode.DATABASE_UNAVAILABLE


def event(**fields: Any) -> str:
    return created_body(
        ObjectEvent(**({"bucket": BUCKET, "key": KEY} | fields), event_name="ObjectCreated:Put")
    )


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (event(bucket="another"), ErrorCode.UNKNOWN_SOURCE),
        (event(key="raw/erp/deep/a.csv"), ErrorCode.UNKNOWN_SOURCE),
        (event(size_bytes=10**6 + 1), ErrorCode.OBJECT_TOO_LARGE),
    ],
)
async def test_what_need_not_be_read_to_be_refused_is_not_read(body: str, code: ErrorCode) -> None:
    bench = Bench({KEY: GOOD})
    assert (await bench.failure(body)).error.code is code
    assert bench.lake.fetched == []


async def test_an_object_is_read_only_once_its_announced_bytes_have_room() -> None:
    bench = Bench({KEY: GOOD})
    body = event(size_bytes=10**5)
    async with bench.byte_budget.of(10**6 - 10**5 + 1):
        working = asyncio.create_task(bench.handle(body))
        for _ in range(20):
            await asyncio.sleep(0)
        assert bench.lake.fetched == []
    assert await working == [Done(State.LOADED)]
    assert not bench.byte_budget.is_full


async def test_a_huge_object_takes_only_what_streaming_it_holds_in_memory() -> None:
    bench = Bench({KEY: GOOD})
    async with bench.byte_budget.of(10**6 - 2 * 10**5):
        async with asyncio.timeout(5):
            assert await bench.handle(event(size_bytes=10**6)) == [Done(State.LOADED)]


async def test_an_object_whose_event_tells_no_size_gets_room_for_what_is_there() -> None:
    """Nobody can admit what nobody announced: the answer's own length counts, before its body."""
    small, large = GOOD, GOOD + b" " * 90_000
    bench = Bench({KEY: small, "raw/erp/large.json": large})
    assert await bench.handle(announcing(KEY)) == [Done(State.LOADED)]
    assert await bench.handle(announcing("raw/erp/large.json")) == [Done(State.LOADED)]
    assert bench.lake.budgeted_bytes == [65_536, 65_536, len(large)]
    assert not bench.byte_budget.is_full


async def test_an_event_that_announces_too_little_is_not_believed() -> None:
    bench = Bench({KEY: GOOD})
    assert await bench.handle(event(size_bytes=1)) == [Done(State.LOADED)]
    assert bench.lake.budgeted_bytes == [1, len(GOOD)]


async def test_a_gzipped_object_is_admitted_for_what_it_unpacks_to() -> None:
    packed = gzip.compress(GOOD)
    bench = Bench({KEY + ".gz": packed})
    body = event(key=KEY + ".gz", size_bytes=len(packed))
    assert await bench.handle(body) == [Done(State.LOADED)]
    assert bench.lake.budgeted_bytes == [16 * len(packed)]


async def test_an_object_that_grows_whenever_it_is_read_waits_and_holds_no_room() -> None:
    async def fetch(_: ObjectEvent, limits: ReadLimits) -> StoredObject:
        raise Larger(limits.budgeted_bytes + 1)

    bench = Bench()
    bench.lake.fetch = fetch  # type: ignore[method-assign]  # one method of a stand-in
    failed = await bench.failure(announcing(KEY))
    assert failed.error.code is ErrorCode.STORAGE_UNAVAILABLE
    async with asyncio.timeout(1), bench.byte_budget.of(10**6):
        pass


async def test_whether_the_message_is_still_ours_can_be_asked_until_the_commit() -> None:
    bench = Bench({KEY: GOOD})
    await bench.handle(announcing(KEY))
    [request] = bench.load.requests
    assert request.is_wanted()
    bench.is_held = False
    assert not request.is_wanted()


async def test_a_lost_lease_is_nobody_s_outcome() -> None:
    with pytest.raises(LeaseLost):
        await Bench({KEY: GOOD}, FakeLoad(LeaseLost("m1"))).handle(announcing(KEY))


@pytest.mark.parametrize(("good", "is_mostly_loaded"), [(0, False), (1, False), (2, True)])
async def test_a_document_counts_as_failed_unless_most_of_its_records_load(
    good: int, *, is_mostly_loaded: bool
) -> None:
    records = [full_check(number) for number in range(good)]
    bench = Bench({KEY: json_bytes(checks(*records, {"guestCheckId": "bad"}))})
    failed = await bench.failure(announcing(KEY))
    assert failed.error.code is ErrorCode.RECORDS_INVALID
    assert failed.is_mostly_loaded is is_mostly_loaded


async def test_a_bug_keeps_its_cause_for_the_error_log() -> None:
    bug = ZeroDivisionError("the reason")
    failed = await Bench({KEY: bug}).failure(announcing(KEY))
    assert failed.error.__cause__ is bug


async def test_the_log_names_the_record_and_its_error() -> None:
    bench = Bench({KEY: MIXED})
    await bench.failure(announcing(KEY))
    [body] = bench.lake.written.values()
    log = json.loads(body)
    assert log["records"][0]["path"] == "guestChecks[1]"
    assert log["object"]["key"] == KEY
