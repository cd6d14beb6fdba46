"""Bodies as AWS writes them: LocalStack encodes keys its own way."""

import json
from datetime import UTC, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.envelopes import (
    EventMalformed,
    Ignored,
    IgnoreReason,
    ObjectEvent,
    created_body,
    decode_body,
)
from tests.support.event_bodies import TEST_EVENT, TIME, eventbridge, native, native_record, sns

_texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1)
_tokens = st.none() | st.text("0123456789ABCDEF", min_size=1, max_size=40)


def only(body: str) -> ObjectEvent:
    [event] = decode_body(body)
    assert isinstance(event, ObjectEvent)
    return event


def ignored(body: str) -> IgnoreReason:
    [event] = decode_body(body)
    assert isinstance(event, Ignored)
    return event.reason


def test_a_native_record_is_read_in_full() -> None:
    expected = ObjectEvent(
        bucket="lake",
        key="raw/erp/a.json",
        event_name="ObjectCreated:Put",
        version_id="096fKKXTRTtl3on89fVO.nfljtsv6qko",
        etag="d41d8cd98f00b204e9800998ecf8427e",
        size_bytes=1024,
        sequencer="0055AED6DCD90281E5",
        event_time=TIME,
    )
    assert expected == only(native(native_record(versionId="096fKKXTRTtl3on89fVO.nfljtsv6qko")))


@pytest.mark.parametrize("version", ["2.0", "2.1", "2.2", "2.3", "2.4", "2.5", "2.17"])
def test_minor_versions_and_their_new_fields_do_not_matter(version: str) -> None:
    record = native_record(version=version)
    record["s3"]["bucket"]["awsGeneratedTags"] = {"aws:cloudformation:stack-name": "lake"}
    record["glacierEventData"] = {}
    assert "raw/erp/a.json" == only(native(record)).key


@pytest.mark.parametrize("version", ["1.0", "3.0", "20.1", "two", ""])
def test_another_major_version_is_malformed(version: str) -> None:
    with pytest.raises(EventMalformed, match="eventVersion"):
        decode_body(native(native_record(version=version)))


@pytest.mark.parametrize(
    ("encoded", "key"),
    [
        ("raw/erp/a+b.json", "raw/erp/a b.json"),
        ("raw/erp/a%20b.json", "raw/erp/a b.json"),
        ("raw/erp/a%2Bb.json", "raw/erp/a+b.json"),
        ("raw/erp/S%C3%A3o+Jo%C3%A3o.json", "raw/erp/São João.json"),
        ("raw/erp/100%25.json", "raw/erp/100%.json"),
        (
            "raw/api_responses/getChargeBack/busDt%3D2024-01-01/storeId%3D99%2520CB%2520CB/x.json",
            "raw/api_responses/getChargeBack/busDt=2024-01-01/storeId=99%20CB%20CB/x.json",
        ),
    ],
)
def test_native_and_sns_wrapped_keys_are_url_encoded_with_plus_for_a_space(
    encoded: str, key: str
) -> None:
    body = native(native_record(key=encoded))
    assert key == only(body).key
    assert key == only(sns(body)).key


@pytest.mark.parametrize("key", ["raw/erp/a b.json", "raw/erp/a+b.json", "raw/erp/a%20b.json"])
def test_eventbridge_keys_are_raw(key: str) -> None:
    assert key == only(eventbridge(key)).key


def test_an_eventbridge_event_is_read_in_full() -> None:
    expected = ObjectEvent(
        bucket="lake",
        key="raw/erp/a.json",
        event_name="ObjectCreated:PutObject",
        version_id="IYV3p45BT0ac8hjHg1houSdS1a.Mro8e",
        etag="b1946ac92492d2347c6235b4d2611184",
        size_bytes=5,
        sequencer="617f08299329d189",
        event_time=TIME.replace(microsecond=0),
    )
    assert expected == only(eventbridge("raw/erp/a.json"))


def test_a_test_event_is_ignored() -> None:
    assert IgnoreReason.TEST_EVENT == ignored(TEST_EVENT)


def test_a_test_event_inside_sns_is_ignored() -> None:
    assert IgnoreReason.TEST_EVENT == ignored(sns(TEST_EVENT))


@pytest.mark.parametrize(
    "name",
    [
        "ObjectRemoved:Delete",
        "ObjectRemoved:DeleteMarkerCreated",
        "ObjectRestore:Post",
        "ObjectRestore:Completed",
        "LifecycleExpiration:Delete",
        "ObjectTagging:Put",
        "s3:ObjectRemoved:Delete",
    ],
)
def test_whatever_creates_nothing_is_ignored(name: str) -> None:
    record = native_record(name=name)
    del record["s3"]["object"]["size"], record["s3"]["object"]["eTag"]
    assert IgnoreReason.NOT_A_CREATION == ignored(native(record))


@pytest.mark.parametrize(
    "kind", ["Object Deleted", "Object Restore Completed", "Object Tags Added"]
)
def test_whatever_creates_nothing_is_ignored_from_eventbridge_too(kind: str) -> None:
    assert IgnoreReason.NOT_A_CREATION == ignored(eventbridge("raw/erp/a.json", kind))


@pytest.mark.parametrize(
    "name", ["ObjectCreated:Copy", "ObjectCreated:CompleteMultipartUpload", "s3:ObjectCreated:Post"]
)
def test_every_way_of_creating_counts(name: str) -> None:
    assert name.removeprefix("s3:") == only(native(native_record(name=name))).event_name


def test_a_folder_marker_is_ignored() -> None:
    assert IgnoreReason.FOLDER_MARKER == ignored(native(native_record(key="raw/erp/", size=0)))
    assert IgnoreReason.FOLDER_MARKER == ignored(eventbridge("raw/erp/"))


@pytest.mark.parametrize("key", ["logs/errors/erp/2024/01/01/a.json", "processed/x/data/1.parquet"])
def test_what_our_programs_write_is_ignored(key: str) -> None:
    """A notification of the whole bucket announces it; its error log would be announced again."""
    assert IgnoreReason.OWN_OUTPUT == ignored(native(native_record(key=key)))
    assert IgnoreReason.OWN_OUTPUT == ignored(eventbridge(key))


def test_a_message_may_hold_several_records_of_which_each_is_read() -> None:
    removed = native_record(name="ObjectRemoved:Delete")
    events = decode_body(native(native_record("a.json"), removed, native_record("b.json")))
    kinds = [event.key if isinstance(event, ObjectEvent) else event.reason for event in events]
    assert ["a.json", IgnoreReason.NOT_A_CREATION, "b.json"] == kinds


def test_a_message_without_records_is_ignored() -> None:
    assert IgnoreReason.NO_RECORDS == ignored('{"Records": []}')


def test_what_s3_may_leave_out_is_none() -> None:
    record = native_record()
    for name in ("size", "eTag", "sequencer"):
        del record["s3"]["object"][name]
    del record["eventTime"]
    record["requestParameters"]["sourceIPAddress"] = "s3.amazonaws.com"
    assert ObjectEvent("lake", "raw/erp/a.json", "ObjectCreated:Put") == only(native(record))


def test_the_null_version_of_an_unversioned_bucket_is_no_version() -> None:
    assert only(native(native_record(versionId="null"))).version_id is None


def test_a_quoted_etag_loses_its_quotes() -> None:
    assert "abc" == only(native(native_record(eTag='"abc"'))).etag


@pytest.mark.parametrize("size", [-1, True, "12", 1.5, 2**63, None])
def test_a_size_that_is_none_is_not_guessed(size: Any) -> None:
    assert only(native(native_record(size=size))).size_bytes is None


@pytest.mark.parametrize("time", ["yesterday", "", 1704164645, "0001-01-01T00:00:00+14:00", None])
def test_an_unreadable_event_time_is_none(time: Any) -> None:
    record = native_record() | {"eventTime": time}
    assert only(native(record)).event_time is None


def test_an_event_time_elsewhere_is_brought_to_utc() -> None:
    record = native_record() | {"eventTime": "2024-01-02T00:04:05.678-03:00"}
    assert TIME == only(native(record)).event_time


@given(
    st.builds(
        ObjectEvent,
        bucket=st.just("lake"),
        key=_texts.filter(lambda key: not key.endswith("/")),
        event_name=st.just("ObjectCreated:Put"),
        version_id=_tokens,
        etag=_tokens,
        size_bytes=st.none() | st.integers(0, 2**63 - 1),
        sequencer=_tokens,
        event_time=st.datetimes(timezones=st.just(UTC)).map(
            lambda time: time.replace(microsecond=time.microsecond // 1000 * 1000)
        ),
        is_forced=st.booleans(),
    )
)
def test_a_body_we_write_is_the_event_we_read(event: ObjectEvent) -> None:
    assert event == only(created_body(event))


def test_a_body_we_write_tells_the_time_in_utc() -> None:
    elsewhere = TIME.astimezone(timezone(timedelta(hours=-3)))
    event = ObjectEvent("lake", "a.json", "ObjectCreated:Put", event_time=elsewhere)
    assert TIME == only(created_body(event)).event_time


def test_an_api_call_told_by_cloudtrail_names_what_it_lacks() -> None:
    """EventBridge passes such events on too, if a rule asks for them."""
    told = {"requestParameters": {"bucketName": "lake", "key": "raw/erp/a.json"}}
    body = {"detail-type": "AWS API Call via CloudTrail", "source": "aws.s3", "detail": told}
    with pytest.raises(EventMalformed, match=r"^detail\.bucket is missing or not an object$"):
        decode_body(json.dumps(body))
