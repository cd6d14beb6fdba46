"""A key comes back from an event as it was written, and says the same store, however S3 spells it."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from schemas.envelopes import ObjectEvent, created_body, decode_body
from schemas.keys import ApiKey, ErpKey, api_key, parse_key
from schemas.registry import ENDPOINTS, Source
from tests.support.event_bodies import eventbridge, native, native_record, sns

PULLED_AT = datetime(2024, 1, 2, 3, 4, 5, 678, tzinfo=UTC)
# Names are drawn from what is awkward in keys, URLs and file systems.
AWKWARD = st.sampled_from([*" +%/\\?#&=.:*~'", "00", "%20", "%2F", "é", "São", "店", "🍕", "A"])
STORES = st.lists(AWKWARD, min_size=1, max_size=8).map("".join)


def as_aws_writes_it(key: str) -> str:
    """Encode a key as S3 does in native events: like a form, but for the slashes."""
    return native(native_record(key=quote_plus(key, safe="/")))


def as_localstack_writes_it(key: str) -> str:
    """Encode a key as LocalStack does: a space is %20."""
    return native(native_record(key=quote(key, safe="/")))


def wrapped(key: str) -> str:
    return sns(as_aws_writes_it(key))


def as_we_write_it(key: str) -> str:
    return created_body(ObjectEvent("lake", key, "ObjectCreated:Published"))


WRITERS = (as_aws_writes_it, as_localstack_writes_it, wrapped, eventbridge, as_we_write_it)


@pytest.mark.parametrize("write", WRITERS)
@settings(max_examples=40)
@given(st.sampled_from([endpoint.source for endpoint in ENDPOINTS]), STORES)
@example(Source.GUEST_CHECKS, "99 CB CB")
@example(Source.GUEST_CHECKS, "001")
@example(Source.GUEST_CHECKS, "São João")
@example(Source.GUEST_CHECKS, "A/B+C 100% %20")
@example(Source.GUEST_CHECKS, " 001 ")
@example(Source.GUEST_CHECKS, "..")
def test_a_store_survives_key_and_event(
    write: Callable[[str], str], source: Source, store: str
) -> None:
    key = api_key(source, date(2024, 1, 1), store, PULLED_AT)
    [event] = decode_body(write(key))
    assert isinstance(event, ObjectEvent)
    assert key == event.key
    assert ApiKey(source, date(2024, 1, 1), store) == parse_key(event.key)


@pytest.mark.parametrize("write", WRITERS)
@settings(max_examples=40)
@given(STORES)
@example("fechamento 1+1 100%")
def test_an_export_survives_its_event_whatever_it_is_called(
    write: Callable[[str], str], name: str
) -> None:
    key = f"raw/erp/{name}.json"
    [event] = decode_body(write(key))
    assert isinstance(event, ObjectEvent)
    assert (key, ErpKey()) == (event.key, parse_key(event.key))


@pytest.mark.parametrize(
    ("written", "store"),
    [
        ("99 CB CB", "99 CB CB"),
        ("99%20CB%20CB", "99 CB CB"),
        ("A+B", "A+B"),
        ("A%2BB", "A+B"),
        ("São", "São"),
        ("S%C3%A3o", "São"),
        ("001", "001"),
    ],
)
def test_a_store_that_somebody_else_wrote_into_a_key_is_percent_decoded_and_no_more(
    written: str, store: str
) -> None:
    """A plus stays a plus: only S3's events write a space that way, around the whole key."""
    key = f"raw/api_responses/getChargeBack/busDt=2024-01-01/storeId={written}/a.json"
    assert ApiKey(Source.CHARGE_BACK, date(2024, 1, 1), store) == parse_key(key)


def removed(version: str) -> dict[str, Any]:
    record = native_record(name="ObjectRemoved:DeleteMarkerCreated", version=version)
    for name in ("size", "eTag", "sequencer"):
        del record["s3"]["object"][name]
    return record


@pytest.mark.parametrize("version", ["2.1", "2.2", "2.3", "2.4", "2.5", "2.6", "2.99"])
def test_every_version_of_an_event_may_come_bare_or_wrapped_with_several_records(
    version: str,
) -> None:
    records = [native_record(f"raw/erp/{name}.json", version) for name in ("a+b", "c")]
    body = native(records[0], removed(version), records[1])
    for message in (body, sns(body)):
        found = decode_body(message)
        keys = [event.key if isinstance(event, ObjectEvent) else None for event in found]
        assert ["raw/erp/a b.json", None, "raw/erp/c.json"] == keys
