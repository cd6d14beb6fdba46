"""Generated records: what documents of the ERP may say of checks and of store-days."""

from datetime import date
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from tests.support.facts import LISTS

DAYS = (date(2024, 1, 1), date(2024, 1, 2))
SHARED_LINES = (90, 91)  # that any check may name
BAD_VALUE = {"not": "a number"}

_amounts = st.sampled_from([None, 0, 7, -3, Decimal("5.10"), Decimal("-0.333333")])
_counts = st.sampled_from([None, 0, 1, 9_988_776_655])
_texts = st.sampled_from([None, "", "90", 'Joe "J" \\ \t\n Ü', "\\N"])
_flags = st.sampled_from([None, True, False])
_days = st.sampled_from([None, *(day.isoformat() for day in DAYS)])
_times = st.sampled_from([None, "2024-01-01T23:59:59", "2024-01-02T00:00:00.5"])
# Later than the generated objects are written, by a little and by decades
_future = ("2024-06-01T12:10:02", "2094-01-01T00:00:00", "2093-01-01T00:00:00")
_unknown = st.sampled_from([None, "x", Decimal("1.50"), [], {"a": [1, {"b": None}]}])
# Values by their kind in the facts.
_OF_KIND = {
    "number": _amounts,
    "int": _counts,
    "text": _texts,
    "scalar": _texts,
    "flag": _flags,
    "date": _days,
    "utc": _times,
    "lcl": _times,
}

_headers = st.fixed_dictionaries(
    {},
    optional={
        "opnBusDt": _days,
        "clsdUTC": _times,
        "clsdLcl": _times,
        "clsdFlag": _flags,
        "gstCnt": _counts,
        "subTtl": _amounts,
        "tblName": _texts,
        "somethingNew": _unknown,
        "+odd": _unknown,
    },
)
_taxes = st.fixed_dictionaries(
    {"taxNum": st.integers(1, 2)},
    optional={"taxCollTtl": _amounts, "taxRate": _amounts, "type": _counts, "new": _unknown},
)
_menu_items = st.fixed_dictionaries(
    {},
    optional={
        "miNum": st.sampled_from([None, 6042, 6043]),
        "modFlag": _flags,
        "inclTax": _amounts,
        "new": _unknown,
    },
)
_discounts = st.fixed_dictionaries({}, optional={"dscNum": _counts, "inclTax": _amounts})
_corrections = st.fixed_dictionaries(
    {}, optional={"type": st.sampled_from([None, "0", "17"]), "objectNum": _counts}
)
_line_fields = {
    "busDt": _days,
    "dspTtl": _amounts,
    "dspQty": _amounts,
    "refInfo1": _texts,
    "vdFlag": _flags,
    "menuItem": st.none() | _menu_items,
    "discount": st.none() | _discounts,
    "errorCorrect": st.none() | _corrections,
    "new": _unknown,
}


@st.composite
def check_records(draw: st.DrawFn, check_id: int, shared: tuple[int, ...] = ()) -> dict[str, Any]:
    """Draw one version of a check, or what a partial document says of it.

    Its lines are its own, but for `shared` ones, which other checks may name too.
    """
    record: dict[str, Any] = {"guestCheckId": check_id, **draw(_headers)}
    kind = draw(st.sampled_from(["full", "full", "partial", "null"]))
    if kind == "full":
        record["lastUpdatedUTC"] = f"2024-01-01T10:0{draw(st.integers(0, 2))}:00"
        if draw(st.integers(0, 7)) == 0:
            record["lastUpdatedUTC"] = draw(st.sampled_from(_future))
    elif kind == "null":
        record["lastUpdatedUTC"] = None
    if draw(st.booleans()):
        record["taxes"] = draw(st.none() | st.lists(_taxes, max_size=3))
    if draw(st.booleans()):
        line_ids = st.sampled_from([check_id * 10, check_id * 10 + 1, *shared])
        lines = st.fixed_dictionaries({"guestCheckLineItemId": line_ids}, optional=_line_fields)
        record["detailLines"] = draw(st.none() | st.lists(lines, max_size=3))
    return record


def under_other_names(record: dict[str, Any]) -> dict[str, Any]:
    """Write a check with the names that the shipped aliases know."""
    written = {"taxation" if name == "taxes" else name: record[name] for name in record}
    if lines := written.get("detailLines"):
        written["detailLines"] = [
            {"errorCode" if name == "errorCorrect" else name: line[name] for name in line}
            for line in lines
        ]
    return written


@st.composite
def list_records(draw: st.DrawFn, source: str) -> dict[str, Any]:
    """Draw one row of a store-day list."""
    facts = LISTS[source]
    values = {name: _OF_KIND[kind] for name, kind in facts.fields.items()}
    row: dict[str, Any] = draw(st.fixed_dictionaries({}, optional={**values, "new": _unknown}))
    if draw(st.booleans()):
        row[facts.id_field] = draw(st.sampled_from([None, 1, "1", 2, "A-3"]))
    return row


@st.composite
def bad_rows(draw: st.DrawFn, source: str) -> tuple[Any, str | None]:
    """Draw a row of a list that is quarantined, with its id: None when it cannot be read."""
    facts = LISTS[source]
    amount = next(name for name, kind in facts.fields.items() if kind == "number")
    bad_id = draw(st.sampled_from([1, 2, "A-3", None]))
    row: Any = {amount: BAD_VALUE, facts.id_field: bad_id}
    if bad_id is None:
        row = draw(st.sampled_from([row, None, 7]))
    return row, None if bad_id is None else str(bad_id)
