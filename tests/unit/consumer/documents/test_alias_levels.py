"""A field of any level may come under another name, beside its own only when they do not differ."""

from typing import Any

import pytest

from consumer.errors import Permanent
from consumer.ingest.assembly import Prepared
from schemas.aliases import load_aliases
from schemas.codes import ErrorCode
from schemas.registry import Source
from tests.support.samples import DAY, STORE, prepared

ALIASES = load_aliases(
    """
["*"]
busDt = ["businessDate"]

[getGuestChecks]
guestChecks = ["checks"]
"guestChecks.gstCnt" = ["guestCount", "guests"]
"guestChecks.taxes.taxRate" = ["rate"]
"guestChecks.detailLines" = ["lines"]
"guestChecks.detailLines.dspTtl" = ["total"]
"guestChecks.detailLines.menuItem" = ["item"]
"guestChecks.detailLines.menuItem.miNum" = ["plu"]

[getTransactions]
transactions = ["movements"]
"transactions.transactionId" = ["id"]
"transactions.amount" = ["value"]
"""
)
# Canonical name, the name that it came under, and a value of another meaning.
NAMES: dict[str, tuple[str, Any]] = {
    "locRef": ("storeId", "other"),
    "busDt": ("businessDate", "2024-01-02"),
    "guestChecks": ("checks", [{"guestCheckId": 9}]),
    "gstCnt": ("guests", 9),
    "taxes": ("taxation", [{"taxNum": 9}]),
    "taxRate": ("rate", 9),
    "detailLines": ("lines", [{"guestCheckLineItemId": 9}]),
    "dspTtl": ("total", 9),
    "menuItem": ("item", {"miNum": 9}),
    "miNum": ("plu", 9),
    "errorCorrect": ("errorCode", {"objectNum": 9}),
    "transactions": ("movements", [{"amount": 9}]),
    "transactionId": ("id", 9),
    "amount": ("value", 9),
}
LINES = [
    {"guestCheckLineItemId": 1, "dspTtl": 5, "menuItem": {"miNum": 6042}},
    {"guestCheckLineItemId": 2, "errorCorrect": {"type": "void", "objectNum": 3}},
]
CHECK = {
    "guestCheckId": 1,
    "gstCnt": 2,
    "taxes": [{"taxNum": 28, "taxRate": 21}],
    "detailLines": LINES,
}
ROOT = {"locRef": STORE, "busDt": DAY.isoformat()}
DOCUMENTS = {
    Source.GUEST_CHECKS: {**ROOT, "guestChecks": [CHECK]},
    Source.TRANSACTIONS: {**ROOT, "transactions": [{"transactionId": 1, "amount": 5}]},
}
PLACES = [
    (source, name)
    for source, names in {
        Source.GUEST_CHECKS: [
            name for name in NAMES if "ransaction" not in name and name != "amount"
        ],
        Source.TRANSACTIONS: ["locRef", "busDt", "transactions", "transactionId", "amount"],
    }.items()
    for name in names
]
FRAME = {"locRef", "busDt", "guestChecks", "transactions"}


def rewritten(node: Any, name: str, write: Any) -> Any:
    """Replace a field wherever it stands by the pairs that `write` makes of its value."""
    if isinstance(node, list):
        return [rewritten(item, name, write) for item in node]
    if not isinstance(node, dict):
        return node
    pairs: dict[str, Any] = {}
    for key, value in node.items():
        inner = rewritten(value, name, write)
        pairs |= write(inner) if key == name else {key: inner}
    return pairs


def said(found: Prepared) -> Any:
    """Say what a document stages, but for its number."""
    number = f"{found.document.number}\t"
    return {
        table: [row.removeprefix(number) for row in b"".join(spool.chunks()).decode().splitlines()]
        for table, spool in found.document.rows.tables.items()
    }


def read(source: Source, name: str, write: Any) -> Prepared:
    return prepared(rewritten(DOCUMENTS[source], name, write), source, aliases=ALIASES)


@pytest.mark.parametrize(("source", "name"), PLACES)
def test_the_other_name_of_a_field_is_the_field(source: Source, name: str) -> None:
    other, _ = NAMES[name]
    found = read(source, name, lambda value: {other: value})
    assert [] == found.quarantined
    assert said(prepared(DOCUMENTS[source], source)) == said(found)


@pytest.mark.parametrize(("source", "name"), PLACES)
@pytest.mark.parametrize("empty", [None, "", [], {}, "equal"], ids=str)
@pytest.mark.parametrize("filled_first", [True, False])
def test_beside_an_empty_or_equal_one_the_filled_one_is_taken(
    source: Source, name: str, empty: Any, *, filled_first: bool
) -> None:
    other, _ = NAMES[name]
    names = (name, other) if filled_first else (other, name)

    def write(value: Any) -> dict[str, Any]:
        return dict(zip(names, (value, value if empty == "equal" else empty), strict=True))

    assert said(prepared(DOCUMENTS[source], source)) == said(read(source, name, write))


@pytest.mark.parametrize(("source", "name"), PLACES)
def test_two_names_with_different_values_are_ambiguous(source: Source, name: str) -> None:
    """Beside the records the document is refused; inside a record the record is set aside."""
    other, different = NAMES[name]
    if name in FRAME:
        with pytest.raises(Permanent) as refused:
            read(source, name, lambda value: {name: value, other: different})
        assert ErrorCode.AMBIGUOUS_FIELD == refused.value.code
    else:
        found = read(source, name, lambda value: {name: value, other: different})
        [record] = found.quarantined
        assert ErrorCode.AMBIGUOUS_FIELD == record.code
        assert {name, other} <= set(record.errors[0].message.split("'"))
