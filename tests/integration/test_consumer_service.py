"""The consumer as a process, on real LocalStack and PostgreSQL."""

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from schemas.envelopes import ObjectEvent, created_body
from tests.conftest import Lake
from tests.support.consuming import (
    CHECK,
    consume,
    dead_lettered,
    depth,
    export,
    ledger,
    lose_events,
    put,
)
from tests.support.migrated import with_tables
from tests.support.programs import DEADLINE_SECONDS, page, query, succeed, until

# A key is a value everywhere: never SQL, never a path.
HOSTILE_KEY = "raw/erp/'; DROP TABLE ingested_objects; --..%2f$(id).json"


def test_an_export_put_with_any_client_is_in_its_tables(
    environment: dict[str, str], lake: Lake
) -> None:
    put(lake, "raw/erp/março 1+1.json", export(CHECK))
    put(lake, HOSTILE_KEY, export(CHECK | {"guestCheckId": 6, "detailLines": [], "taxes": []}))
    consume(environment)
    assert query(
        environment, "SELECT store_id, guest_check_id, sub_ttl::text FROM guest_checks ORDER BY 2"
    ) == [("001", 6, "80.5"), ("001", 4455667788, "80.5")]
    assert query(environment, "SELECT tax_num, tax_coll_ttl::text FROM taxes") == [(7, "5.25")]
    assert query(
        environment, "SELECT line_type, menu_item_id, incl_tax::text FROM detail_lines"
    ) == [("menu_item", 31, "5.251234")]
    assert query(environment, "SELECT menu_item_id FROM menu_items") == [(31,)]
    assert ledger(environment) == [
        (HOSTILE_KEY, "loaded", None),
        ("raw/erp/março 1+1.json", "loaded", None),
    ]
    assert depth(lake, lake.queue_url) == 0


def test_a_truncated_document_is_dead_lettered_with_a_log_that_says_what_where_and_why(
    environment: dict[str, str], lake: Lake
) -> None:
    put(lake, "raw/erp/cut.json", export(CHECK)[:200])
    assert "guestCheckId" not in consume(environment)
    [message] = dead_lettered(lake)
    attributes = {
        name: value["StringValue"] for name, value in message["MessageAttributes"].items()
    }
    assert attributes["ErrorCode"] == "json_malformed"
    assert attributes["ObjectKey"] == "raw/erp/cut.json"
    assert attributes["Attempts"] == "1"
    log_key = attributes["ErrorLogKey"]
    assert log_key.startswith("logs/errors/erp/")
    log = json.loads(lake.s3.get_object(Bucket=lake.bucket, Key=log_key)["Body"].read())
    assert log["code"] == "json_malformed"
    assert "line 1 column" in log["message"]
    assert log["object"]["key"] == "raw/erp/cut.json"
    assert query(environment, "SELECT error_log_key FROM ingested_objects") == [(log_key,)]
    assert depth(lake, lake.queue_url) == 0


def test_good_records_load_and_bad_ones_wait_for_their_fix(
    environment: dict[str, str], lake: Lake
) -> None:
    bad = CHECK | {"guestCheckId": 2, "subTtl": "eighty", "detailLines": []}
    put(lake, "raw/erp/mixed.json", export(CHECK, bad))
    said = consume(environment)
    assert "records_invalid" in said
    # What a document says is for the error log, not for the process's own.
    assert "eighty" not in said
    assert query(environment, "SELECT guest_check_id FROM guest_checks") == [(4455667788,)]
    assert ledger(environment) == [("raw/erp/mixed.json", "dead_lettered", "records_invalid")]
    [log_key] = query(environment, "SELECT error_log_key FROM ingested_objects")[0]
    log = json.loads(lake.s3.get_object(Bucket=lake.bucket, Key=log_key)["Body"].read())
    assert log["records"] == [
        {
            "path": "guestChecks[1]",
            "record_id": "2",
            "code": "schema_invalid",
            "errors": [
                {
                    "location": "subTtl",
                    "message": "expected a finite number of at most 28 digits before the point and 10 after it, or the same in quotes",
                    "value": "'eighty'",
                }
            ],
        }
    ]


def test_a_fixed_object_is_loaded_by_replaying_its_dead_letter(
    environment: dict[str, str], lake: Lake
) -> None:
    environment = environment | {"COLUMNS": "200"}
    put(lake, "raw/erp/day.json", b"{oops")
    consume(environment)
    put(lake, "raw/erp/day.json", export(CHECK))
    assert "day.json" in succeed("consumer", "dlq", "list", environment=environment)
    rehearsed = succeed("consumer", "dlq", "replay", "--dry-run", environment=environment)
    assert rehearsed == "would replay 1 messages: 1 json_malformed\n"
    other = succeed(
        "consumer", "dlq", "replay", "--error-code", "schema_invalid", environment=environment
    )
    assert other == "replayed 0 messages\n"
    done = succeed(
        "consumer", "dlq", "replay", "--error-code", "json_malformed", environment=environment
    )
    assert done == "replayed 1 messages: 1 json_malformed\n"
    consume(environment)
    assert query(environment, "SELECT guest_check_id FROM guest_checks") == [(4455667788,)]
    # The event of the overwritten bytes is outdated; the newer write had an event of its own.
    assert ledger(environment) == [
        ("raw/erp/day.json", "superseded", None),
        ("raw/erp/day.json", "loaded", None),
    ]
    assert (depth(lake, lake.queue_url), depth(lake, lake.dlq_url)) == (0, 0)


def test_a_renamed_field_needs_one_line_and_a_replay(
    environment: dict[str, str], lake: Lake, tmp_path: Any
) -> None:
    renamed = {name: value for name, value in CHECK.items() if name != "guestCheckId"}
    put(lake, "raw/erp/renamed.json", export(renamed | {"checkId": 77}))
    consume(environment)
    assert ledger(environment) == [("raw/erp/renamed.json", "dead_lettered", "records_invalid")]
    aliases = tmp_path / "aliases.toml"
    aliases.write_text('[erp]\n"guestChecks.guestCheckId" = ["checkId"]\n', encoding="utf-8")
    environment = environment | {"SCHEMA_ALIASES_FILE": str(aliases)}
    succeed("consumer", "dlq", "replay", environment=environment)
    consume(environment)
    assert query(environment, "SELECT guest_check_id FROM guest_checks") == [(77,)]
    assert ledger(environment) == [("raw/erp/renamed.json", "loaded", None)]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("not json", "event_malformed"),
        (created_body(ObjectEvent("another-bucket", "raw/erp/a.json", "x")), "event_malformed"),
    ],
)
def test_a_message_that_is_no_event_of_ours_is_dead_lettered(
    environment: dict[str, str], lake: Lake, body: str, code: str
) -> None:
    if "another-bucket" in body:
        body = body.replace('"eventName": "x"', '"eventName": "ObjectCreated:Put"')
        code = "unknown_source"
    lake.sqs.send_message(QueueUrl=lake.queue_url, MessageBody=body)
    consume(environment)
    [message] = dead_lettered(lake)
    assert message["MessageAttributes"]["ErrorCode"]["StringValue"] == code
    assert message["Body"] == body


def test_one_bad_record_of_a_message_does_not_take_the_others_along(
    environment: dict[str, str], lake: Lake
) -> None:
    """Beats and otel-contrib delete or keep the whole message; here each record has its end."""
    put(lake, "raw/erp/good.json", export(CHECK))
    put(lake, "raw/erp/bad.json", b"[]")
    lose_events(lake, 2)
    records = [
        json.loads(created_body(ObjectEvent(lake.bucket, key, "ObjectCreated:Put")))["Records"][0]
        for key in ("raw/erp/bad.json", "raw/erp/good.json", "raw/erp/folder/")
    ]
    lake.sqs.send_message(QueueUrl=lake.queue_url, MessageBody=json.dumps({"Records": records}))
    consume(environment)
    assert ledger(environment) == [
        ("raw/erp/bad.json", "dead_lettered", "schema_invalid"),
        ("raw/erp/good.json", "loaded", None),
    ]
    [message] = dead_lettered(lake)
    [only] = json.loads(message["Body"])["Records"]
    assert only["s3"]["object"]["key"] == "raw/erp/bad.json"


def test_every_event_three_times_leaves_the_tables_as_once(
    environment: dict[str, str], lake: Lake
) -> None:
    put(lake, "raw/erp/a.json", export(CHECK))
    event = ObjectEvent(lake.bucket, "raw/erp/a.json", "ObjectCreated:Put")
    for _ in range(3):
        lake.sqs.send_message(QueueUrl=lake.queue_url, MessageBody=created_body(event))
    consume(environment)
    assert query(environment, "SELECT count(*) FROM detail_lines") == [(1,)]
    assert ledger(environment) == [("raw/erp/a.json", "loaded", None)]


def test_a_consumer_that_waits_for_a_database_is_alive_not_ready_and_stops_when_told(
    environment: dict[str, str], unused_tcp_port_factory: Callable[[], int]
) -> None:
    """ECS would kill one that does not answer, again and again while the outage lasts."""
    nobody, port = unused_tcp_port_factory(), unused_tcp_port_factory()
    away = environment | {"DB_HOST": "127.0.0.1", "DB_PORT": str(nobody)}
    with running_consumer(away | {"HTTP_PORT": str(port)}) as process:
        assert process.stderr is not None
        line = json.loads(process.stderr.readline())
        assert (200, "ok\n") == page(port, "/healthz")
        status, reason = page(port, "/readyz")
        assert (503, True) == (status, reason.startswith("database_unavailable: "))
        assert 'coco_breaker_open{cause="outage"} 0.0' in page(port, "/metrics")[1]
        process.send_signal(signal.SIGTERM)
        assert 0 == process.wait(DEADLINE_SECONDS)
    assert (line["event"], line["code"]) == ("start_delayed", "database_unavailable")


def test_sigterm_ends_the_daemon_with_exit_code_0_and_nothing_held(
    environment: dict[str, str], lake: Lake
) -> None:
    """The race: the signal arrives while messages are in hand and a long poll is running."""
    with_tables(environment)
    for number in range(40):
        put(lake, f"raw/erp/{number}.json", export(CHECK | {"guestCheckId": number}))
    with running_consumer(environment) as process:
        until(
            lambda: query(environment, "SELECT count(*) FROM ingested_objects")[0][0] > 0,
            "the first object is loaded",
        )
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=DEADLINE_SECONDS)
    assert process.returncode == 0, errors
    [(loaded,)] = query(environment, "SELECT count(*) FROM ingested_objects")
    answer = lake.sqs.get_queue_attributes(QueueUrl=lake.queue_url, AttributeNames=["All"])
    attributes = answer["Attributes"]
    assert attributes["ApproximateNumberOfMessagesNotVisible"] == "0"
    assert int(attributes["ApproximateNumberOfMessages"]) == 40 - loaded


@contextmanager
def running_consumer(environment: dict[str, str]) -> Iterator["subprocess.Popen[str]"]:
    """Run the daemon while the block runs; a test that fails leaves no process behind."""
    with subprocess.Popen(
        [sys.executable, "-m", "consumer", "run"],
        env=environment | {"RECEIVE_WAIT_SECONDS": "1"},
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()
