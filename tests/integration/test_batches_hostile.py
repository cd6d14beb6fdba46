"""Records that no ERP would send on purpose: each is set aside or stored as sent; others load."""

from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest

from schemas.codes import ErrorCode
from tests.support.ingesting import Loaded, bad_check, ingest, with_good
from tests.support.warehouse import Warehouse

SCHEMA_INVALID, AMBIGUOUS = ErrorCode.SCHEMA_INVALID, ErrorCode.AMBIGUOUS_FIELD


@pytest.mark.parametrize(
    ("field", "code"),
    [
        (r'"tblName": "a\u0000b"', SCHEMA_INVALID),
        (r'"tblName": "\ud800"', SCHEMA_INVALID),
        (r'"tblName": "\udfff\ud800"', SCHEMA_INVALID),
        (r'"new": "a\u0000b"', SCHEMA_INVALID),
        (r'"new": {"deep": ["\udc00"]}', SCHEMA_INVALID),
        (r'"a\u0000b": 1', SCHEMA_INVALID),
        (r'"\ud800": 1', SCHEMA_INVALID),
        (r'"\ud800": 1, "\ud800": 2', SCHEMA_INVALID),
        (r'"new": {"\u0000": {}}', SCHEMA_INVALID),
        ('"subTtl": NaN', SCHEMA_INVALID),
        ('"subTtl": Infinity', SCHEMA_INVALID),
        ('"subTtl": -Infinity', SCHEMA_INVALID),
        ('"new": [NaN]', SCHEMA_INVALID),
        ('"subTtl": 1e999999', SCHEMA_INVALID),
        ('"subTtl": 1e-999999', SCHEMA_INVALID),
        ('"subTtl": 1e999', SCHEMA_INVALID),
        ('"subTtl": 12345678901234567890123456789', SCHEMA_INVALID),
        ('"subTtl": 0e999999', SCHEMA_INVALID),
        ('"subTtl": 0e9999999999', SCHEMA_INVALID),
        ('"subTtl": 1e999999999999999999999', SCHEMA_INVALID),
        ('"new": 0e-99999999999999999999', SCHEMA_INVALID),
        ('"subTtl": 1' + "0" * 140_000, SCHEMA_INVALID),
        ('"gstCnt": 9223372036854775808', SCHEMA_INVALID),
        ('"gstCnt": ' + "9" * 5000, SCHEMA_INVALID),
        ('"gstCnt": 1e999', SCHEMA_INVALID),
        ('"gstCnt": 1.5', SCHEMA_INVALID),
        ('"opnBusDt": "2024-02-30"', SCHEMA_INVALID),
        ('"opnUTC": "2024-02-30T10:00:00"', SCHEMA_INVALID),
        ('"opnUTC": "2024-01-01T10:00:00+23:00"', SCHEMA_INVALID),
        ('"gstCnt": 1, "gstCnt": 2', AMBIGUOUS),
        ('"new": 1, "new": "1"', AMBIGUOUS),
        ('"taxes": [{"taxNum": 1, "taxNum": 2}]', AMBIGUOUS),
        ('"detailLines": [{"guestCheckLineItemId": 1, "menuItem": {"a": 1, "a": 2}}]', AMBIGUOUS),
        ('"taxes": [{"taxNum": 1}], "taxation": [{"taxNum": 2}]', AMBIGUOUS),
        ('"taxes": [{}]', SCHEMA_INVALID),
        ('"taxes": {"taxNum": 1}', SCHEMA_INVALID),
        ('"detailLines": [{"guestCheckLineItemId": null}]', SCHEMA_INVALID),
        ('"detailLines": [7]', SCHEMA_INVALID),
    ],
    ids=lambda value: str(value)[:50],
)
def test_a_check_that_cannot_be_stored_is_set_aside_and_its_neighbour_loads(
    warehouse: Warehouse, field: str, code: ErrorCode
) -> None:
    result = ingest(warehouse, bad_check(field))
    assert Loaded({"guestChecks[0]": code}, 1) == result
    assert [1] == [row["guest_check_id"] for row in warehouse.rows("guest_checks")]


@pytest.mark.parametrize(
    ("record", "code"),
    [
        ("null", SCHEMA_INVALID),
        ("[]", SCHEMA_INVALID),
        ("7", SCHEMA_INVALID),
        ('"text"', SCHEMA_INVALID),
        ("{}", SCHEMA_INVALID),
        ('{"guestCheckId": null}', SCHEMA_INVALID),
        ('{"guestCheckId": 9223372036854775808}', SCHEMA_INVALID),
        ('{"guestCheckId": ' + "9" * 5000 + "}", SCHEMA_INVALID),
        (r'{"guestCheckId": "\u0000"}', SCHEMA_INVALID),
        (r'{"guestCheckId": "\ud800"}', SCHEMA_INVALID),
        ('{"guestCheckId": 2, "guestCheckId": 3}', AMBIGUOUS),
    ],
    ids=lambda value: str(value)[:50],
)
def test_what_is_no_check_is_set_aside_and_its_neighbour_loads(
    warehouse: Warehouse, record: str, code: ErrorCode
) -> None:
    assert Loaded({"guestChecks[0]": code}, 1) == ingest(warehouse, with_good(record))
    assert [1] == [row["guest_check_id"] for row in warehouse.rows("guest_checks")]


@pytest.mark.parametrize(
    ("field", "column", "stored"),
    [
        ('"subTtl": 1234567890123456789012345678', "sub_ttl", 1234567890123456789012345678),
        ('"subTtl": 0.1000', "sub_ttl", Decimal("0.1000")),
        ('"subTtl": "5.10"', "sub_ttl", Decimal("5.10")),
        ('"new": 9223372036854775808', "extra", {"new": 9223372036854775808}),
        (
            '"new": 12345678901234567.123456789',
            "extra",
            {"new": Decimal("12345678901234567.123456789")},
        ),
        ('"gstCnt": 5.0', "gst_cnt", 5),
        ('"gstCnt": 2, "gstCnt": 2', "gst_cnt", 2),
        (r'"tblName": "\ud83c\udf55\u2028\\N\t"', "tbl_name", "🍕\u2028\\N\t"),
        ('"tblName": "' + "x" * 1_000_000 + '"', "tbl_name", "x" * 1_000_000),
        ('"opnUTC": "2024-01-01T10:00:00-03:00"', "opn_utc", "2024-01-01T13:00:00+00:00"),
        ('"opnUTC": "2024-01-01T10:00:00"', "opn_utc", "2024-01-01T10:00:00+00:00"),
        ('"opnUTC": "2024-01-01T10:00:00Z"', "opn_utc", "2024-01-01T10:00:00+00:00"),
        ('"opnLcl": "2024-01-01T10:00:00-03:00"', "opn_lcl", "2024-01-01T10:00:00"),
    ],
    ids=lambda value: str(value)[:50],
)
def test_a_value_that_is_odd_but_true_is_stored_as_sent(
    warehouse: Warehouse, field: str, column: str, stored: Any
) -> None:
    assert Loaded({}, 0) == ingest(warehouse, bad_check(field))
    row = next(row for row in warehouse.rows("guest_checks") if row["guest_check_id"] == 2)
    assert written(stored) == written(row[column])


def written(value: Any) -> Any:
    """Write times as text, and numbers with all of their digits."""
    if isinstance(value, datetime):
        return value.isoformat()
    return format(Decimal(value), "f") if isinstance(value, int | Decimal) else value
