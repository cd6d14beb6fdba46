"""Parking: log, ledger, dead-letter queue, in this order, and nothing lost in between."""

import json
import unicodedata
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumer.aws.sqs import Delivery
from consumer.errors import Internal, Permanent, RecordError, StorageUnavailable
from consumer.ingest.error_logs import ErrorLogs
from consumer.ingest.outcome import Failed
from consumer.messages.dead_letters import DeadLetters
from schemas.codes import ErrorCode, State
from schemas.envelopes import ObjectEvent, decode_body
from tests.support.consumer_fakes import (
    BUCKET,
    NOON,
    FakeLedger,
    FakeLogs,
    FakeQueue,
    announcing,
    delivery,
    play,
)

EVENT = ObjectEvent(
    BUCKET, "raw/erp/a b.json", "ObjectCreated:Put", "v1", "e1", 12, "0A", event_time=NOON
)
BROKEN = Permanent(
    ErrorCode.SCHEMA_INVALID, "wrong", (RecordError("curUTC", "expected a time", "'x'"),)
)


class Desk:
    """Everything that parking touches, and the order in which it did."""

    def __init__(self) -> None:
        self.queue, self.logs, self.ledger = FakeQueue(), FakeLogs(), FakeLedger()
        self.order: list[str] = []
        self.dead_letters = DeadLetters(self.queue, ErrorLogs(self), self._record)

    async def write_log(self, key: str, body: bytes) -> None:
        await self.logs.write_log(key, body)
        self.order.append("log")

    async def _record(self, entry: object) -> None:
        await self.ledger.record(entry)  # type: ignore[arg-type]  # passes it on
        self.order.append("ledger")

    def park(self, one: Delivery, failed: Failed, *, alone: bool = True) -> None:
        async def story() -> None:
            await self.dead_letters.park(one, failed, alone=alone)
            self.order.append("dead letter")

        play(story())

    @property
    def attributes(self) -> dict[str, str]:
        [message] = self.queue.messages.values()
        return dict(message.attributes)

    @property
    def log(self) -> dict[str, object]:
        [body] = self.logs.written.values()
        return dict(json.loads(body))


def test_the_log_comes_first_and_the_dead_letter_last() -> None:
    desk = Desk()
    desk.park(delivery(announcing(EVENT.key), receive_count=3), Failed(BROKEN, EVENT))
    assert desk.order == ["log", "ledger", "dead letter"]
    [key] = desk.logs.written
    assert key.startswith("logs/errors/erp/2024/06/01/m1-")
    [entry] = desk.ledger.entries
    assert (entry.state, entry.error_code) == (State.DEAD_LETTERED, ErrorCode.SCHEMA_INVALID)
    assert (entry.error_log_key, entry.attempts) == (key, 3)
    assert desk.attributes == {
        "ErrorCode": "schema_invalid",
        "ErrorMessage": "wrong",
        "ErrorLogKey": key,
        "ObjectKey": "raw/erp/a b.json",
        "FailedAt": desk.attributes["FailedAt"],
        "Attempts": "3",
    }


@pytest.mark.parametrize("step", ["log", "ledger", "send"])
@pytest.mark.parametrize("times", [1, 3])
def test_a_failure_of_any_step_leaves_nothing_lost_once_it_is_tried_again(
    step: str, times: int
) -> None:
    desk = Desk()
    failures = {
        "log": desk.logs.failures,
        "ledger": desk.ledger.failures,
        "send": desk.queue.failures["send"],
    }
    failures[step] += [StorageUnavailable("away")] * times
    one = delivery(announcing(EVENT.key))
    for _ in range(times):
        with pytest.raises(StorageUnavailable):
            desk.park(one, Failed(BROKEN, EVENT))
        assert desk.queue.messages == {}
    desk.park(one, Failed(BROKEN, EVENT))
    assert len(desk.logs.written) == 1
    assert {entry.error_log_key for entry in desk.ledger.entries} == set(desk.logs.written)
    assert len(desk.queue.messages) == 1


def test_a_crash_after_the_dead_letter_makes_a_second_one_and_no_second_log() -> None:
    desk = Desk()
    one, again = delivery(announcing(EVENT.key)), delivery(announcing(EVENT.key), receive_count=2)
    desk.park(one, Failed(BROKEN, EVENT))
    desk.park(again, Failed(BROKEN, EVENT))
    assert len(desk.logs.written) == 1
    assert len(desk.queue.messages) == 2


def test_a_log_written_with_the_batch_is_not_written_again_nor_its_ledger_row() -> None:
    """Good records of the document committed with a row that names that log."""
    desk = Desk()
    desk.park(delivery(announcing(EVENT.key)), Failed(BROKEN, EVENT, "logs/errors/erp/x.json"))
    assert desk.order == ["dead letter"]
    assert desk.attributes["ErrorLogKey"] == "logs/errors/erp/x.json"


def test_the_records_of_one_message_have_logs_and_letters_of_their_own() -> None:
    desk = Desk()
    other = ObjectEvent(BUCKET, "raw/erp/b.json", "ObjectCreated:Put")
    version = ObjectEvent(BUCKET, EVENT.key, "ObjectCreated:Put", "v2")
    one = delivery(announcing(EVENT.key, other.key))
    for event in (EVENT, other, version):
        desk.park(one, Failed(BROKEN, event), alone=False)
    assert len(desk.logs.written) == 3
    announced = [decode_body(message.body) for message in desk.queue.messages.values()]
    keys = [item.key for [item] in announced if isinstance(item, ObjectEvent)]
    assert keys == [EVENT.key, other.key, EVENT.key]
    assert announced[0] == [EVENT]


def test_a_message_that_is_no_event_is_parked_as_it_came() -> None:
    desk = Desk()
    failed = Failed(Permanent(ErrorCode.EVENT_MALFORMED, "no JSON"))
    desk.park(delivery("gibberish\x01"), failed)
    assert desk.order == ["log", "dead letter"]
    [message] = desk.queue.messages.values()
    assert message.body == "gibberish\x01"
    assert desk.attributes["ObjectKey"] == ""
    [key] = desk.logs.written
    assert key.startswith("logs/errors/unknown/")
    assert desk.log["object"] is None


def test_a_huge_body_is_cut_in_the_log_and_whole_in_the_letter() -> None:
    desk = Desk()
    desk.park(delivery("x" * 900_000), Failed(Permanent(ErrorCode.EVENT_MALFORMED, "no JSON")))
    assert len(str(desk.log["body"])) == 20_000
    [message] = desk.queue.messages.values()
    assert len(message.body) == 900_000


SQS_BYTES = 1_048_576  # of a message with its attributes (SQS quotas)


@pytest.mark.parametrize("character", ["x", "€", "😀"])
def test_a_letter_and_its_attributes_fit_whatever_came(character: str) -> None:
    """SQS would refuse it, and the message would come again until the redrive policy takes it."""
    body = character * (SQS_BYTES // len(character.encode()))
    desk = Desk()
    desk.park(delivery(body), Failed(Permanent(ErrorCode.EVENT_MALFORMED, character * 9999)))
    [message] = desk.queue.messages.values()
    attributes = sum(
        len(f"String{name}{value}".encode()) for name, value in message.attributes.items()
    )
    assert 900_000 < len(message.body.encode()) + attributes <= SQS_BYTES
    assert body.startswith(message.body)


def test_an_event_that_is_too_large_for_a_letter_is_written_anew() -> None:
    desk = Desk()
    body = announcing(EVENT.key)[:-1] + f', "padding": "{"x" * 1_040_000}"}}'
    desk.park(delivery(body), Failed(BROKEN, EVENT))
    [message] = desk.queue.messages.values()
    assert decode_body(message.body) == [EVENT]


def test_ten_attributes_are_allowed_and_six_are_sent() -> None:
    desk = Desk()
    desk.park(delivery("{}"), Failed(BROKEN, EVENT))
    assert len(desk.attributes) == 6


@given(
    st.text(
        st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=20
    )
)
def test_the_body_of_a_letter_holds_only_what_sqs_takes(text: str) -> None:
    """ETags and version ids of a made-up event hold anything that JSON can."""
    event = ObjectEvent(BUCKET, f"raw/erp/{text}.json", "ObjectCreated:Put", text, text, 1, text)
    desk = Desk()
    desk.park(delivery("{}"), Failed(BROKEN, event), alone=False)
    [message] = desk.queue.messages.values()
    assert all(is_allowed(character) for character in message.body)


def test_a_bug_is_told_in_a_log_at_each_attempt_and_in_the_ledger_at_the_last() -> None:
    """The redrive policy parks its message and gives no reason; the same key has the newest log."""
    desk = Desk()
    bug = Failed(Internal.of(KeyError("miNum")), EVENT)

    async def attempt(receive_count: int, *, is_last: bool) -> str | None:
        one = delivery(announcing(EVENT.key), receive_count=receive_count)
        return await desk.dead_letters.note(one, bug, is_last=is_last)

    first = play(attempt(1, is_last=False))
    assert desk.ledger.entries == []
    assert play(attempt(5, is_last=True)) == first
    assert list(desk.logs.written) == [first]
    assert desk.log["attempts"] == 5
    [entry] = desk.ledger.entries
    assert (entry.state, entry.error_code) == (State.DEAD_LETTERED, ErrorCode.INTERNAL)
    assert entry.error_log_key == first
    assert desk.queue.messages == {}


def test_what_is_retried_by_choice_has_no_log_before_its_last_receive() -> None:
    desk = Desk()
    gone = Failed(Permanent(ErrorCode.OBJECT_MISSING, "not yet"), EVENT)
    assert play(desk.dead_letters.note(delivery("{}"), gone, is_last=False)) is None
    assert desk.order == []


def test_what_is_ignored_by_choice_has_a_ledger_row_that_says_so_and_nothing_else() -> None:
    desk = Desk()
    gone = Failed(Permanent(ErrorCode.OBJECT_MISSING, "gone"), EVENT)
    play(desk.dead_letters.ignore(delivery("{}"), gone))
    [entry] = desk.ledger.entries
    assert (entry.state, entry.error_code) == (State.IGNORED, ErrorCode.OBJECT_MISSING)
    assert desk.order == ["ledger"]


def test_a_log_is_found_at_the_same_place_whatever_day_the_message_comes_again() -> None:
    """The race: the first attempt is before midnight, the second one after."""
    desk = Desk()
    for received_at in (NOON, NOON + timedelta(days=1)):
        one = replace(delivery("{}"), sent_at=NOON, received_at=received_at)
        desk.park(one, Failed(BROKEN, EVENT))
    assert len(desk.logs.written) == 1


def is_allowed(character: str) -> bool:
    """Say whether SQS takes a character (API Reference, SendMessage)."""
    code = ord(character)
    return (
        code in (0x9, 0xA, 0xD)
        or 0x20 <= code <= 0xD7FF
        or 0xE000 <= code <= 0xFFFD
        or 0x10000 <= code
    )


@given(st.text(st.characters(), max_size=50), st.text(st.characters(), max_size=50))
def test_attributes_hold_only_what_sqs_takes_and_all_of_that(message: str, key: str) -> None:
    desk = Desk()
    event = ObjectEvent(BUCKET, f"raw/erp/{key}.json", "ObjectCreated:Put")
    desk.park(delivery("{}"), Failed(Permanent(ErrorCode.SCHEMA_INVALID, message), event))
    for sent, original in (
        (desk.attributes["ErrorMessage"], message),
        (desk.attributes["ObjectKey"], event.key),
    ):
        assert sent == "".join(c if is_allowed(c) else "?" for c in original)


def test_attributes_are_bounded_whatever_the_message() -> None:
    desk = Desk()
    assert unicodedata.name("😀")
    desk.park(delivery("{}"), Failed(Permanent(ErrorCode.SCHEMA_INVALID, "😀" * 100_000), EVENT))
    size = sum(len(f"{name}{value}".encode()) for name, value in desk.attributes.items())
    assert size < 8192
