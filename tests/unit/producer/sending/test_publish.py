"""Announcing objects: which, as what, and what becomes of those that SQS does not take."""

from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from structlog.testing import capture_logs

from producer.aws.sqs import SqsQueue
from producer.errors import LakeUnavailable, QueueClosed, QueueError, QueueRefused, QueueUnavailable
from producer.lake import LakeEntry, LakeObject
from producer.sending.announcing import Announcer, AnnouncingLake
from producer.sending.publish import Selection, publish
from producer.tally import Tally
from runtime.errors import SettingsInvalid
from schemas.envelopes import ObjectEvent, decode_body
from schemas.layouts import read_layout
from tests.support.producer_fakes import MODIFIED, FakeLake

FOLDER = "raw/erp/"


class FakeQueue:
    """Keeps what is sent; refuses the messages about keys in `failing`."""

    def __init__(self, failing: dict[str, QueueError] | None = None) -> None:
        self.failing = failing or {}
        self.calls: list[list[str]] = []

    async def send(self, bodies: Sequence[str]) -> list[QueueError | None]:
        """Take up to ten messages."""
        keys = [key_of(body) for body in bodies]
        self.calls.append(keys)
        return [self.failing.get(key) for key in keys]

    @property
    def keys(self) -> list[str]:
        """All keys that were announced, in order."""
        return [key for call in self.calls for key in call]


def key_of(body: str) -> str:
    [event] = decode_body(body)
    assert isinstance(event, ObjectEvent)
    return event.key


def lake_with(*names: str) -> FakeLake:
    lake = FakeLake()
    for name in names:
        lake.objects[FOLDER + name] = LakeObject(FOLDER + name, b"{}" if name else b"", {})
    return lake


async def run(
    lake: FakeLake, queue: FakeQueue | None, selection: Selection | None = None
) -> tuple[Tally, list[str]]:
    tally, told = Tally(0), list[str]()
    announcer = Announcer(queue.send, "lake", 100_000) if queue else None
    await publish(
        selection or Selection(FOLDER),
        lake,
        announcer,
        tally,
        lambda entry: told.append(entry.key),
    )
    return tally, told


async def test_an_event_is_what_the_consumer_reads_as_s3s_own() -> None:
    sent: list[str] = []

    async def send(bodies: Sequence[str]) -> list[QueueError | None]:
        sent.extend(bodies)
        return [None]

    entry = LakeEntry("raw/erp/São 1+2.json", 7, "abc", MODIFIED, "v1")
    await Announcer(send, "lake").announce([entry])
    assert decode_body(*sent) == [
        ObjectEvent(
            bucket="lake",
            key="raw/erp/São 1+2.json",
            event_name="ObjectCreated:Put",
            version_id="v1",
            etag="abc",
            size_bytes=7,
            event_time=MODIFIED,
        )
    ]


async def test_a_forced_event_says_so() -> None:
    sent: list[str] = []

    async def send(bodies: Sequence[str]) -> list[QueueError | None]:
        sent.extend(bodies)
        return [None]

    entry = LakeEntry("raw/erp/a.json", 7, "abc", MODIFIED)
    for force in (False, True):
        await Announcer(send, "lake", force=force).announce([entry])
    events = [event for body in sent for event in decode_body(body)]
    assert [False, True] == [isinstance(e, ObjectEvent) and e.is_forced for e in events]


async def test_every_object_under_the_prefix_is_announced_once_ten_at_a_time() -> None:
    """The folder marker is none of them."""
    names = [f"{number:03}.json" for number in range(25)]
    queue = FakeQueue()
    tally, told = await run(lake_with("", *names), queue)
    assert queue.keys == told == [FOLDER + name for name in names]
    assert [len(call) for call in queue.calls] == [10, 10, 5]
    assert (tally.stored, tally.total, tally.is_complete) == (25, 25, True)


@pytest.mark.parametrize(
    ("since", "pattern", "expected"),
    [
        (MODIFIED, None, ["a.json", "b.json"]),
        (datetime(2024, 3, 5, 0, 0, 1, tzinfo=UTC), None, []),
        (None, "*/b.*", ["b.json"]),
        (None, "b.json", []),
    ],
)
async def test_time_and_pattern_narrow_the_choice(
    since: datetime | None, pattern: str | None, expected: list[str]
) -> None:
    queue = FakeQueue()
    await run(lake_with("a.json", "b.json"), queue, Selection(FOLDER, since, pattern))
    assert queue.keys == [FOLDER + name for name in expected]


async def test_a_dry_run_tells_and_sends_nothing() -> None:
    tally, told = await run(lake_with("a.json"), None)
    assert (told, tally.stored) == ([FOLDER + "a.json"], 1)


async def test_a_message_that_is_not_taken_is_named_and_the_others_go_on() -> None:
    names = [f"{number:03}.json" for number in range(12)]
    queue = FakeQueue({FOLDER + "003.json": QueueRefused("too long")})
    tally, told = await run(lake_with(*names), queue)
    assert (tally.stored, tally.failed, len(told)) == (11, 1, 11)
    assert tally.failures[0]["object"] == FOLDER + "003.json"


async def test_a_closed_queue_ends_the_run() -> None:
    names = [f"{number:03}.json" for number in range(30)]
    queue = FakeQueue({FOLDER + name: QueueClosed("no queue") for name in names})
    tally, _ = await run(lake_with(*names), queue)
    assert (len(queue.calls), tally.stopped_by, tally.is_complete) == (1, "no queue", False)


async def test_a_lake_that_cannot_be_listed_leaves_the_run_incomplete() -> None:
    class BrokenLake(FakeLake):
        async def entries(self, prefix: str, after: str = "") -> AsyncIterator[LakeEntry]:
            raise LakeUnavailable(prefix + after)
            yield  # makes it a generator

    tally, _ = await run(BrokenLake(), FakeQueue())
    assert (tally.failed, tally.is_complete) == (1, False)


def test_only_what_is_loaded_may_be_announced() -> None:
    with pytest.raises(SettingsInvalid, match="must start with raw/"):
        Selection("logs/errors/")


async def test_what_no_layout_reads_is_counted_and_not_announced() -> None:
    lake, queue = FakeLake(), FakeQueue()
    for key in ("lojas/", "lojas/1/20240131/getChargeBack.json", "lojas/readme.txt", "lojas/x.csv"):
        lake.objects[key] = LakeObject(key, b"{}", {})
    selection = Selection("lojas/", layout=read_layout("lojas/{store}/{day}/{endpoint}.json"))
    with capture_logs() as logs:
        tally, _ = await run(lake, queue, selection)
    assert queue.keys == ["lojas/1/20240131/getChargeBack.json"]
    assert tally.is_complete
    assert [(log["event"], log["objects"], log["first"]) for log in logs] == [
        ("keys_not_recognized", 2, "lojas/readme.txt")
    ]


async def test_an_object_is_announced_after_it_was_written() -> None:
    inner, queue = FakeLake(), FakeQueue()
    lake = AnnouncingLake(inner, Announcer(queue.send, "lake"))
    await lake.put(LakeObject("raw/erp/a.json", b"{}", {}))
    assert (list(inner.objects), queue.keys) == (["raw/erp/a.json"], ["raw/erp/a.json"])

    inner.error = LakeUnavailable("down")
    with pytest.raises(LakeUnavailable):
        await lake.put(LakeObject("raw/erp/b.json", b"{}", {}))
    assert queue.keys == ["raw/erp/a.json"]


async def test_an_object_that_was_not_announced_is_a_failure_with_its_remedy() -> None:
    inner = FakeLake()
    queue = FakeQueue({"raw/erp/a.json": QueueUnavailable("down")})
    with pytest.raises(QueueUnavailable, match=r"publish --prefix 'raw/erp/a\.json'"):
        await AnnouncingLake(inner, Announcer(queue.send, "lake")).put(
            LakeObject("raw/erp/a.json", b"{}", {})
        )
    assert list(inner.objects) == ["raw/erp/a.json"]


class FakeSqs:
    """Answers SendMessageBatch as told, the last answer for ever."""

    def __init__(self, *answers: Callable[[list[str]], Any]) -> None:
        self.answers = list(answers)
        self.sent: list[list[str]] = []

    async def send_message_batch(self, **request: Any) -> Any:
        """Take a batch and answer it as told."""
        self.sent.append([entry["MessageBody"] for entry in request["Entries"]])
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return answer([entry["Id"] for entry in request["Entries"]])


def failed(*places: int, sender_fault: bool = False) -> Callable[[list[str]], Any]:
    """Fail the entries at these places of the call."""

    def answer(ids: list[str]) -> Any:
        entries = [{"Id": ids[place], "SenderFault": sender_fault, "Code": "C"} for place in places]
        return {"Failed": entries} if entries else {}

    return answer


def raising(error: Exception) -> Callable[[list[str]], Any]:
    def answer(_ids: list[str]) -> Any:
        raise error

    return answer


def sqs_queue(client: FakeSqs, monkeypatch: pytest.MonkeyPatch, attempts: int = 3) -> SqsQueue:
    monkeypatch.setattr("producer.aws.sqs._FIRST_WAIT_SECONDS", 0.001)
    client_like: Any = client
    return SqsQueue(client_like, "http://queue", attempts)


async def test_entries_that_failed_are_sent_again_by_themselves(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    client = FakeSqs(failed(1, 2), failed(0), failed())
    assert await sqs_queue(client, monkeypatch).send(["a", "b", "c"]) == [None, None, None]
    assert client.sent == [["a", "b", "c"], ["b", "c"], ["b"]]


async def test_an_entry_that_sqs_blames_on_us_is_not_sent_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    client = FakeSqs(failed(0, sender_fault=True))
    [first, second] = await sqs_queue(client, monkeypatch).send(["a", "b"])
    assert (type(first), second, len(client.sent)) == (QueueRefused, None, 1)


async def test_patience_with_an_entry_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    client = FakeSqs(failed(0))
    [failure] = await sqs_queue(client, monkeypatch).send(["a"])
    assert (type(failure), len(client.sent)) == (QueueUnavailable, 3)


def refusal(code: str, status: int) -> ClientError:
    response: Any = {
        "Error": {"Code": code},
        "ResponseMetadata": {"HTTPStatusCode": status},
    }
    return ClientError(response, "SendMessageBatch")


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (refusal("AWS.SimpleQueueService.NonExistentQueue", 400), QueueClosed),
        (refusal("AccessDenied", 403), QueueClosed),
        (refusal("RequestThrottled", 400), QueueUnavailable),
        (refusal("InternalError", 500), QueueUnavailable),
        (refusal("AWS.SimpleQueueService.BatchRequestTooLong", 400), QueueRefused),
        (EndpointConnectionError(endpoint_url="http://x"), QueueUnavailable),
    ],
)
async def test_a_call_that_fails_as_a_whole_fails_every_message(
    monkeypatch: pytest.MonkeyPatch, error: Exception, kind: type[QueueError]
) -> None:
    """The SDK has tried again already."""
    client = FakeSqs(raising(error))
    failures = await sqs_queue(client, monkeypatch).send(["a", "b"])
    assert [type(failure) for failure in failures] == [kind, kind]
    assert len(client.sent) == 1
