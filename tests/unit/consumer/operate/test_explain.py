"""`explain` says of a message body what the handler would do."""

import json
from datetime import date

import pytest

from consumer.operate.explain import explain
from consumer.policy import Policy, read_policy
from runtime.terminal import print_json
from schemas.codes import ErrorCode
from schemas.envelopes import ObjectEvent, created_body
from schemas.layouts import read_layout
from tests.support.consumer_fakes import BUCKET, NOON, announcing

API_KEY = "raw/api_responses/getChargeBack/busDt=2024-01-01/storeId=99%20CB%20CB/1.json"


def test_an_export_would_be_loaded() -> None:
    event = ObjectEvent(
        BUCKET, "raw/erp/a b.json", "ObjectCreated:Put", "v1", "e1", 12, "0A", event_time=NOON
    )
    assert explain(created_body(event), [BUCKET], 2**30, Policy()) == {
        "decision": "load",
        "records": [
            {
                "decision": "load",
                "source": "erp",
                "bucket": BUCKET,
                "key": "raw/erp/a b.json",
                "version_id": "v1",
                "etag": "e1",
                "size_bytes": 12,
                "sequencer": "0A",
                "event_time": NOON,
                "is_forced": False,
            }
        ],
    }


def test_an_answer_would_be_loaded_for_the_store_and_day_of_its_key() -> None:
    [record] = explain(announcing(API_KEY), [BUCKET], 2**30, Policy())["records"]
    assert record["decision"] == "load"
    assert record["source"] == "getChargeBack"
    assert (record["store_id"], record["bus_dt"]) == ("99 CB CB", date(2024, 1, 1))


@pytest.mark.parametrize("body", ["", "[]", "{}", '{"Records": 5}', '{"Records": [{}]}'])
def test_what_is_no_event_would_be_dead_lettered(body: str) -> None:
    explained = explain(body, [BUCKET], 2**30, Policy())
    assert explained["decision"] == "dead_letter"
    assert explained["error_code"] is ErrorCode.EVENT_MALFORMED
    assert explained["error"]


@pytest.mark.parametrize("key", ["other/a.json", "raw/erp/a.csv", "raw/api_responses/x/y.json"])
def test_an_object_outside_the_lake_s_layout_would_be_dead_lettered(key: str) -> None:
    explained = explain(announcing(key), [BUCKET], 2**30, Policy())
    assert explained["decision"] == "dead_letter"
    assert explained["records"][0]["error_code"] is ErrorCode.UNKNOWN_SOURCE


def test_another_bucket_s_object_would_be_dead_lettered_if_the_bucket_is_known() -> None:
    body = announcing("raw/erp/a.json")
    assert explain(body, ["another"], 2**30, Policy())["decision"] == "dead_letter"
    assert explain(body, (), 2**30, Policy())["decision"] == "load"


def test_the_layout_of_another_lake_says_source_store_and_day() -> None:
    layout = read_layout("x/{endpoint}/{store}/{day}.json")
    body = announcing("x/getChargeBack/001/20240131.json")
    [record] = explain(body, (), 2**30, Policy(), layout)["records"]
    assert (record["decision"], record["source"]) == ("load", "getChargeBack")
    assert (record["store_id"], record["bus_dt"]) == ("001", date(2024, 1, 31))


def test_a_test_event_would_be_ignored() -> None:
    explained = explain('{"Event": "s3:TestEvent", "Bucket": "lake"}', [BUCKET], 2**30, Policy())
    assert explained["decision"] == "ignore"
    assert explained["records"] == [
        {"decision": "ignore", "reason": "test_event", "detail": "lake"}
    ]


def test_records_that_differ_each_have_their_own_decision() -> None:
    explained = explain(
        announcing("raw/erp/a.json", "raw/erp/folder/", "x.txt"), [BUCKET], 2**30, Policy()
    )
    assert explained["decision"] == "each_its_own"
    decisions = [record["decision"] for record in explained["records"]]
    assert decisions == ["load", "ignore", "dead_letter"]


def test_a_decision_can_be_written_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    event = ObjectEvent(BUCKET, API_KEY, "ObjectCreated:Put", event_time=NOON)
    print_json(explain(created_body(event), [BUCKET], 2**30, Policy()))
    [record] = json.loads(capsys.readouterr().out)["records"]
    assert ("2024-06-01T12:00:00+00:00", "2024-01-01") == (record["event_time"], record["bus_dt"])


def test_what_was_chosen_for_an_error_code_is_what_would_be_done() -> None:
    policy = read_policy("unknown_source=ignore")
    explained = explain(announcing("raw/a.json"), [BUCKET], 2**30, policy)
    assert ("ignore", "unknown_source") == (
        explained["decision"],
        explained["records"][0]["error_code"],
    )
