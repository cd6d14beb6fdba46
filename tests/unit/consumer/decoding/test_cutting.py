"""Records are cut out of a document however it is spaced, or not at all."""

import json
from typing import Any

import pytest

from consumer.decoding.cutting import PLACEHOLDER, cut_records
from schemas.registry import Source
from tests.support.samples import ALIASES, checks, usual_check

RECORDS = [usual_check(number) for number in range(3)]


@pytest.mark.parametrize(
    "written",
    [
        {},
        {"indent": 2},
        {"separators": (",", ":")},
        {"indent": "\t", "separators": ("\r\n,\n", ":")},
    ],
)
def test_any_spacing_is_cut(written: dict[str, Any]) -> None:
    document = checks(*RECORDS, hasMore=False)
    data = json.dumps(document, **written).encode()
    cut = cut_records(data, Source.GUEST_CHECKS, ALIASES)
    assert cut is not None
    assert RECORDS == [json.loads(bytes(record)) for record in cut.records]
    assert document | {"guestChecks": [PLACEHOLDER]} == json.loads(cut.frame)
    assert [0, 1, 2] == cut.ids


@pytest.mark.parametrize("first", ['"old": [%s, 7, %s]', '"old": [%s], "older": [%s]'])
def test_what_stands_elsewhere_first_is_not_taken_for_the_list(first: str) -> None:
    """Not even if all records of the list are there, with something between them."""
    records = [json.dumps(record) for record in RECORDS[:2]]
    text = f'{{{first % tuple(records)}, "guestChecks": [{", ".join(records)}]}}'
    assert cut_records(text.encode(), Source.GUEST_CHECKS, ALIASES) is None
