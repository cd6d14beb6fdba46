"""What users of other systems complain about, shown not to happen here, on real servers.

tests/unit/test_complaints.py lists all complaints, and the tests of each.
"""

import json
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest
from aiohttp import web
from types_boto3_s3 import S3Client
from types_boto3_sqs import SQSClient

from tests.conftest import Servers
from tests.support.fronts import sqs_action
from tests.support.programs import query, until
from tests.support.samples import checks, full_check, json_bytes
from tests.support.service import Service, service_of

MEBIBYTE = 2**20
BUDGET_OBJECTS = 4
SETTINGS = {
    "MAX_IN_FLIGHT_BYTES": str(BUDGET_OBJECTS * MEBIBYTE),
    "STREAM_ABOVE_BYTES": str(2 * MEBIBYTE),
}
SLOW_DOWN = (
    b"<Error><Code>SlowDown</Code><Message>Please reduce your request rate</Message></Error>"
)


@pytest.fixture(scope="module")
def running(
    stack: Servers,
    aws: tuple[S3Client, SQSClient],
    hook: ModuleType,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Service]:
    """Give a consumer as in production, but for a small byte budget."""
    log = tmp_path_factory.mktemp("complaints") / "consumer.log"
    with (
        service_of(stack.environment, aws, hook, SETTINGS) as service,
        service.consumer(log),
    ):
        yield service


@pytest.fixture
def service(running: Service) -> Iterator[Service]:
    """Give the consumer with nothing to do, and a front that passes everything on."""
    until(lambda: running.depth() == 0, "the queue is empty")
    yield running
    running.front.answer = lambda *_: None


def export(number: int, version: int = 0, **fields: object) -> bytes:
    return json_bytes(checks(full_check(number, version, **fields)))


def never(condition: Callable[[], bool], seconds: float, what: str) -> None:
    """Watch for so long that something does not happen."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        assert not condition(), what
        time.sleep(0.05)


def test_a_message_is_kept_until_its_rows_are_committed(service: Service) -> None:
    """The rows are on their way into a table that is locked."""
    key = "raw/erp/durable.json"
    with service.stuck_database():
        service.announce(service.put(key, export(1)))
        waiting = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
        until(lambda: bool(query(service.database, waiting)), "the load waits for the lock")
        never(lambda: service.depth() != 1, 0.5, "the message was deleted")
    until(lambda: service.ends(key) == {key: ["loaded", None, 1]}, "the object is loaded")
    until(lambda: service.depth() == 0, "the message is deleted")


def test_a_message_that_waits_for_neighbours_is_nobody_else_s(
    stack: Servers, aws: tuple[S3Client, SQSClient], hook: ModuleType, tmp_path: Path
) -> None:
    """It waits for longer than two visibility timeouts."""
    settings = {"BATCH_MAX_WAIT_MILLISECONDS": "5000", "RECEIVE_WAIT_SECONDS": "1"}
    log, key = tmp_path / "consumer.log", "raw/erp/waits.json"
    with service_of(stack.environment, aws, hook, settings) as service:
        attributes = {"VisibilityTimeout": "2"}
        aws[1].set_queue_attributes(QueueUrl=service.lake.queue_url, Attributes=attributes)
        with service.consumer(log):
            service.announce(service.put(key, export(1)))
            until(lambda: len(service.ends(key)) == 1, "the object is loaded")
            until(lambda: service.depth() == 0, "the message is deleted")
        assert service.ends(key) == {key: ["loaded", None, 1]}
    assert ["consumer_started"] == [
        json.loads(line)["event"] for line in log.read_text().splitlines()
    ]


def test_the_second_version_of_an_overwritten_object_is_loaded_too(service: Service) -> None:
    """Its key was seen before; its content was not."""
    key = "raw/erp/twice.json"
    for version in (0, 1):
        service.announce(service.put(key, export(2, version, gstCnt=version)))
        count = f"SELECT 1 FROM guest_checks WHERE guest_check_id = 2 AND gst_cnt = {version}"
        until(lambda count=count: bool(query(service.database, count)), "the version is loaded")
    rows = query(service.database, "SELECT state FROM ingested_objects WHERE object_key ~ 'twice'")
    assert rows == [("loaded",)] * 2


@pytest.mark.parametrize(
    ("number", "name"), list(enumerate(["1+1", "two words", "São João", "100%", "a%2Bb"]))
)
def test_an_object_is_found_whatever_its_key(service: Service, number: int, name: str) -> None:
    """AWS writes `+` for a space; LocalStack, whose own events are not used here, does not."""
    key = f"raw/erp/{name}.json"
    service.announce(service.put(key, export(30 + number)))
    until(lambda: len(service.ends(key)) == 1, "the object has its end")
    assert service.ends(key) == {key: ["loaded", None, 1]}


def test_the_test_event_of_a_new_notification_is_acknowledged_and_nothing_else(
    service: Service, hook: ModuleType
) -> None:
    """S3 sends it when a notification is set up; it names no object."""
    actions: Counter[str] = Counter()
    service.front.answer = lambda request, _: actions.update([sqs_action(request)])
    lake = service.lake
    before = service.ends("")
    hook.ensure_notification(lake.s3, lake.bucket, hook.queue_arn(lake.sqs, lake.queue_url))
    until(lambda: actions["DeleteMessageBatch"] > 0, "something is deleted")
    until(lambda: service.depth() == 0, "the queue is empty")
    assert (before, 0) == (service.ends(""), service.depth(lake.dlq_url))
    lake.s3.put_bucket_notification_configuration(Bucket=lake.bucket, NotificationConfiguration={})


def test_an_object_that_is_gone_is_dead_lettered_at_its_first_receive(service: Service) -> None:
    """It is neither retried for ever nor dropped."""
    before = service.depth(service.lake.dlq_url)
    key = "raw/erp/gone.json"
    service.announce(service.record(key, "0" * 32, 1))
    until(
        lambda: service.ends(key) == {key: ["dead_lettered", "object_missing", 1]}, "it has ended"
    )
    until(lambda: service.depth(service.lake.dlq_url) == before + 1, "it is dead-lettered")


def test_an_s3_that_asks_to_slow_down_is_asked_again_without_a_second_receive(
    service: Service,
) -> None:
    """More often than the SDK tries by itself."""
    refusals = iter(range(4))

    def answer(request: web.Request, _: bytes) -> web.Response | None:
        is_read = request.method == "GET" and "slow" in request.path
        refused = is_read and next(refusals, None) is not None
        return web.Response(status=503, body=SLOW_DOWN) if refused else None

    service.front.answer = answer
    key = "raw/erp/slow.json"
    service.announce(service.put(key, export(4)))
    until(lambda: service.ends(key) == {key: ["loaded", None, 1]}, "the object is loaded")
    assert next(refusals, None) is None


def test_objects_are_not_downloaded_beyond_the_byte_budget(service: Service) -> None:
    """Many large objects are announced, and what is downloaded cannot be loaded yet."""
    reads: list[str] = []

    def answer(request: web.Request, _: bytes) -> None:
        if request.method == "GET" and "large" in request.path:
            reads.append(request.path)

    service.front.answer = answer
    with service.stuck_database():
        for number in range(3 * BUDGET_OBJECTS):
            body = export(100 + number, somethingNew="x" * MEBIBYTE)
            service.announce(service.put(f"raw/erp/large-{number}.json", body))
        until(lambda: len(reads) > 0, "the first object is read")
        never(lambda: len(reads) > BUDGET_OBJECTS, 1.5, "too many were read at once")
    until(lambda: len(service.ends("raw/erp/large")) == 3 * BUDGET_OBJECTS, "all are loaded")


def test_an_empty_queue_is_asked_with_long_polls_only(service: Service) -> None:
    """Empty polls cost money: two receivers, twenty seconds each."""
    waits: list[int] = []

    def answer(request: web.Request, body: bytes) -> None:
        if sqs_action(request) == "ReceiveMessage":
            waits.append(json.loads(body)["WaitTimeSeconds"])

    service.front.answer = answer
    for number in range(2):  # each wakes up a poll that began before
        key = f"raw/erp/poll-{number}.json"
        service.announce(service.put(key, export(5)))
        until(lambda key=key: len(service.ends(key)) == 1, "the object is loaded")
    until(lambda: len(waits) >= 2, "the next polls have begun")
    assert {20} == set(waits)
    never(lambda: len(waits) > 4, 1, "polls return before their time")
