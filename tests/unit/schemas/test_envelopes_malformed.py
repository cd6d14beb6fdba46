"""Bodies that are no events: each is refused by name, and none is a crash."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.envelopes import (
    EventMalformed,
    decode_body,
)
from tests.support.event_bodies import eventbridge, native, native_record, sns


@pytest.mark.parametrize(
    "body",
    [
        "",
        "not json",
        "[]",
        "null",
        "7",
        "{}",
        '{"Records": {}}',
        '{"Records": [null]}',
        '{"Records": [{}]}',
        '{"Event": "s3:Other"}',
        '{"Type": "SubscriptionConfirmation", "Message": "x"}',
        '{"Type": "Notification", "Message": "not json"}',
        '{"Type": "Notification", "Message": {"Records": []}}',
        '{"Type": "Notification", "Message": null}',
        '{"detail-type": "Object Created", "detail": null}',
        '{"detail-type": "Object Created", "detail": {"bucket": {"name": "lake"}}}',
        '{"detail-type": 7, "detail": {"bucket": {"name": "b"}, "object": {"key": "k"}}}',
        "[" * 100_000,
        '{"a": ' + "9" * 5000 + "}",
    ],
)
def test_whatever_is_no_event_is_malformed(body: str) -> None:
    with pytest.raises(EventMalformed):
        decode_body(body)


@pytest.mark.parametrize(
    "broken",
    [
        {"key": ""},
        {"key": 7},
        {"key": None},
        {"key": "raw/%FF.json"},
        {"key": "raw/%00.json"},
        {"key": "raw/\ud800.json"},
        {"key": "k" * 1025},
        {"versionId": "\0"},
        {"eTag": "\udfff"},
        {"sequencer": "0" * 1025},
    ],
)
def test_a_record_that_no_object_could_have_is_malformed(broken: dict[str, Any]) -> None:
    with pytest.raises(EventMalformed):
        decode_body(native(native_record(**broken)))


@pytest.mark.parametrize("name", ["", None, 7, "\0", "b" * 2000])
def test_a_record_without_a_bucket_is_malformed(name: Any) -> None:
    record = native_record()
    record["s3"]["bucket"]["name"] = name
    with pytest.raises(EventMalformed, match="bucket"):
        decode_body(native(record))


def test_one_malformed_record_makes_the_message_malformed_and_is_named() -> None:
    with pytest.raises(EventMalformed, match=r"Records\[1\]"):
        decode_body(native(native_record(), {"eventVersion": "2.1"}))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.sampled_from(["Records", "detail", "Message", "eventName", "s3", "key", "size"]), JSON)
def test_any_value_anywhere_is_an_event_ignored_or_malformed(name: str, value: Any) -> None:
    """Nothing else is raised, whatever stands where."""
    bodies = [native(native_record()), sns(native(native_record())), eventbridge("a.json")]
    for body in bodies:
        broken = _replaced(json.loads(body), name, value)
        try:
            assert decode_body(json.dumps(broken))
        except EventMalformed:
            continue


def _replaced(node: Any, name: str, value: Any) -> Any:
    if isinstance(node, dict):
        return {k: value if k == name else _replaced(v, name, value) for k, v in node.items()}
    return [_replaced(item, name, value) for item in node] if isinstance(node, list) else node
