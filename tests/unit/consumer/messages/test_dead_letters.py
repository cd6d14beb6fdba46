"""Dead-lettering: log, ledger, dead-letter queue, in this order, and nothing lost in between."""

import json
import unicodedata
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumer.aws.sqs import Delivery
from consumer.errors import Internal, Permanent, RecordError, StorageUnavailable
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
    FakeRows,
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


class Trail:
    """Everything that dead-lettering touches, and the order in which it did."""

    def __init__(self) -> None:
        self.queue, self.logs, self.ledger = FakeQueue(), FakeLogs(), FakeLedger()
        self.rows = FakeRows()
        self.order: list[str] = []
        self.dead_letters = DeadLetters(self.queue, self, self._record, self.rows)

    async def write_log(self, key: str, body: bytes) -> None:
        await self.logs.write_log(key, body)
        self.order.append("log")

    async def _record(self, entry: object) -> None:
        await self.ledger.record(entry)  # type: ignore[arg-type]  # passes it on
        self.order.append("ledger")

    def send(self, one: Delivery, failed: Failed, *, alone: bool = True) -> None:
        async def story() -> None:
            await self.dead_letters.send(one, failed, alone=alone)
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
    trail = Trail()
    trail.send(delivery(announcing(EVENT.key), receive_count=3), Failed(BROKEN, EVENT))
    assert trail.order == ["log", "ledger", "dead letter"]
    [key] = trail.logs.written
    assert key.startswith("logs/errors/erp/2024/06/01/m1-")
    [entry] = trail.ledger.entries
    assert (entry.state, entry.error_code) == (State.DEAD_LETTERED, ErrorCode.SCHEMA_INVALID)
    assert (entry.error_log_key, entry.attempts) == (key, 3)
    assert trail.attributes == {
        "ErrorCode": "schema_invalid",
        "ErrorMessage": "wrong",
        "ErrorLogKey": key,
        "ObjectKey": "raw/erp/a b.json",
        "FailedAt": trail.attributes["FailedAt"],
        "Attempts": "3",
        "OriginalMessageId": "m1",
    }


@pytest.mark.parametrize("step", ["log", "ledger", "send"])
@pytest.mark.parametrize("times", [1, 3])
def test_a_failure_of_any_step_leaves_nothing_lost_once_it_is_tried_again(
    step: str, times: int
) -> None:
    trail = Trail()
    failures = {
        "log": trail.logs.failures,
        "ledger": trail.ledger.failures,
        "send": trail.queue.failures["send"],
    }
    failures[step] += [StorageUnavailable("away")] * times
    one = delivery(announcing(EVENT.key))
    for _ in range(times):
        with pytest.raises(StorageUnavailable):
            trail.send(one, Failed(BROKEN, EVENT))
        assert trail.queue.messages == {}
    trail.send(one, Failed(BROKEN, EVENT))
    assert len(trail.logs.written) == 1
    assert {entry.error_log_key for entry in trail.ledger.entries} == set(trail.logs.written)
    assert len(trail.queue.messages) == 1


def test_a_crash_after_the_dead_letter_makes_a_second_one_and_no_second_log() -> None:
    trail = Trail()
    one, again = delivery(announcing(EVENT.key)), delivery(announcing(EVENT.key), receive_count=2)
    trail.send(one, Failed(BROKEN, EVENT))
    trail.send(again, Failed(BROKEN, EVENT))
    assert len(trail.logs.written) == 1
    assert len(trail.queue.messages) == 2


def test_a_log_written_with_the_batch_is_not_written_again_nor_its_ledger_row() -> None:
    """Good records of the document committed with a row that names that log."""
    trail = Trail()
    trail.send(delivery(announcing(EVENT.key)), Failed(BROKEN, EVENT, "logs/errors/erp/x.json"))
    assert trail.order == ["dead letter"]
    assert trail.attributes["ErrorLogKey"] == "logs/errors/erp/x.json"


def test_the_records_of_one_message_have_logs_and_dead_letters_of_their_own() -> None:
    trail = Trail()
    other = ObjectEvent(BUCKET, "raw/erp/b.json", "ObjectCreated:Put")
    version = ObjectEvent(BUCKET, EVENT.key, "ObjectCreated:Put", "v2")
    one = delivery(announcing(EVENT.key, other.key))
    for event in (EVENT, other, version):
        trail.send(one, Failed(BROKEN, event), alone=False)
    assert len(trail.logs.written) == 3
    announced = [decode_body(message.body) for message in trail.queue.messages.values()]
    keys = [item.key for [item] in announced if isinstance(item, ObjectEvent)]
    assert keys == [EVENT.key, other.key, EVENT.key]
    assert announced[0] == [EVENT]


def test_a_message_that_is_no_event_is_dead_lettered_as_it_came() -> None:
    trail = Trail()
    failed = Failed(Permanent(ErrorCode.EVENT_MALFORMED, "no JSON"))
    trail.send(delivery("gibberish\x01"), failed)
    assert trail.order == ["log", "dead letter"]
    [message] = trail.queue.messages.values()
    assert message.body == "gibberish\x01"
    assert trail.attributes["ObjectKey"] == ""
    [key] = trail.logs.written
    assert key.startswith("logs/errors/unknown/")
    assert trail.log["object"] is None


def test_a_huge_body_is_cut_in_the_log_and_whole_in_the_dead_letter() -> None:
    trail = Trail()
    trail.send(delivery("x" * 900_000), Failed(Permanent(ErrorCode.EVENT_MALFORMED, "no JSON")))
    assert len(str(trail.log["body"])) == 20_000
    [message] = trail.queue.messages.values()
    assert len(message.body) == 900_000


SQS_BYTES = 1_048_576  # of a message with its attributes (SQS quotas)


@pytest.mark.parametrize("character", ["x", "€", "😀"])
def test_a_dead_letter_and_its_attributes_fit_whatever_came(character: str) -> None:
    """SQS would refuse it, and the message would come again until the redrive policy takes it."""
    body = character * (SQS_BYTES // len(character.encode()))
    trail = Trail()
    trail.send(delivery(body), Failed(Permanent(ErrorCode.EVENT_MALFORMED, character * 9999)))
    [message] = trail.queue.messages.values()
    attributes = sum(
        len(f"String{name}{value}".encode()) for name, value in message.attributes.items()
    )
    assert 900_000 < len(message.body.encode()) + attributes <= SQS_BYTES
    assert body.startswith(message.body)


def test_an_event_that_is_too_large_for_a_dead_letter_is_written_anew() -> None:
    trail = Trail()
    body = announcing(EVENT.key)[:-1] + f', "padding": "{"x" * 1_040_000}"}}'
    trail.send(delivery(body), Failed(BROKEN, EVENT))
    [message] = trail.queue.messages.values()
    assert decode_body(message.body) == [EVENT]


def test_ten_attributes_are_allowed_and_seven_are_sent() -> None:
    trail = Trail()
    trail.send(delivery("{}"), Failed(BROKEN, EVENT))
    assert len(trail.attributes) == 7


@given(
    st.text(
        st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=20
    )
)
def test_the_body_of_a_dead_letter_holds_only_what_sqs_takes(text: str) -> None:
    """ETags and version ids of a made-up event hold anything that JSON can."""
    event = ObjectEvent(BUCKET, f"raw/erp/{text}.json", "ObjectCreated:Put", text, text, 1, text)
    trail = Trail()
    trail.send(delivery("{}"), Failed(BROKEN, event), alone=False)
    [message] = trail.queue.messages.values()
    assert all(is_allowed(character) for character in message.body)


def test_a_bug_is_told_in_a_log_at_each_attempt_and_in_the_ledger_at_the_last() -> None:
    """The redrive policy dead-letters its message and gives no reason; the same key has the newest log."""
    trail = Trail()
    bug = Failed(Internal.of(KeyError("miNum")), EVENT)

    async def attempt(receive_count: int, *, is_last: bool) -> None:
        one = delivery(announcing(EVENT.key), receive_count=receive_count)
        await trail.dead_letters.note(one, bug, is_last=is_last)

    play(attempt(1, is_last=False))
    [first] = trail.logs.written
    assert trail.ledger.entries == []
    play(attempt(5, is_last=True))
    assert list(trail.logs.written) == [first]
    assert trail.log["attempts"] == 5
    [entry] = trail.ledger.entries
    assert (entry.state, entry.error_code) == (State.DEAD_LETTERED, ErrorCode.INTERNAL)
    assert entry.error_log_key == first
    assert trail.queue.messages == {}


def test_what_is_retried_by_choice_has_no_log_before_its_last_receive() -> None:
    trail = Trail()
    gone = Failed(Permanent(ErrorCode.OBJECT_MISSING, "not yet"), EVENT)
    play(trail.dead_letters.note(delivery("{}"), gone, is_last=False))
    assert trail.order == []


def test_what_is_ignored_by_choice_has_a_ledger_row_that_says_so_and_nothing_else() -> None:
    trail = Trail()
    gone = Failed(Permanent(ErrorCode.OBJECT_MISSING, "gone"), EVENT)
    play(trail.dead_letters.ignore(delivery("{}"), gone))
    [entry] = trail.ledger.entries
    assert (entry.state, entry.error_code) == (State.IGNORED, ErrorCode.OBJECT_MISSING)
    assert trail.order == ["ledger"]


def test_a_log_is_found_at_the_same_place_whatever_day_the_message_comes_again() -> None:
    """The race: the first attempt is before midnight, the second one after."""
    trail = Trail()
    for received_at in (NOON, NOON + timedelta(days=1)):
        one = replace(delivery("{}"), sent_at=NOON, received_at=received_at)
        trail.send(one, Failed(BROKEN, EVENT))
    assert len(trail.logs.written) == 1


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
    trail = Trail()
    event = ObjectEvent(BUCKET, f"raw/erp/{key}.json", "ObjectCreated:Put")
    trail.send(delivery("{}"), Failed(Permanent(ErrorCode.SCHEMA_INVALID, message), event))
    for sent, original in (
        (trail.attributes["ErrorMessage"], message),
        (trail.attributes["ObjectKey"], event.key),
    ):
        assert sent == "".join(c if is_allowed(c) else "?" for c in original)


def test_attributes_are_bounded_whatever_the_message() -> None:
    trail = Trail()
    assert unicodedata.name("😀")
    trail.send(delivery("{}"), Failed(Permanent(ErrorCode.SCHEMA_INVALID, "😀" * 100_000), EVENT))
    size = sum(len(f"{name}{value}".encode()) for name, value in trail.attributes.items())
    assert size < 8192


def test_a_replay_that_fails_again_keeps_the_id_under_which_it_came_first() -> None:
    trail = Trail()
    replay = delivery("{}", message_id="m7", attributes={"OriginalMessageId": "m1"})
    trail.send(replay, Failed(BROKEN, EVENT))
    assert trail.attributes["OriginalMessageId"] == "m1"
