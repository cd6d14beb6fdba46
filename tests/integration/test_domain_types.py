"""Each value that a field takes, and each that it refuses, through the whole of reading and loading."""

from collections.abc import Iterator
from datetime import UTC
from decimal import Decimal
from typing import Any

import pytest

from schemas.registry import Source
from tests.support.databases import own_database
from tests.support.facts import HEADER, KINDS, LINE, LISTS, SUB_OBJECTS, TAX, column
from tests.support.samples import checks, day_list, prepared, staged
from tests.support.warehouse import Warehouse, open_warehouse

KEYS = {"guestCheckId", "taxNum", "guestCheckLineItemId", "lastUpdatedUTC"}
# Where a field of a check stands: its table, its place in error logs, and the names of columns
# that do not follow from its own.
PLACES: dict[str, tuple[str, str, dict[str, str], dict[str, str]]] = {
    "": ("guest_checks", "", HEADER, {}),
    "taxes": ("taxes", "taxes[0].", TAX, {}),
    "detailLines": ("detail_lines", "detailLines[0].", LINE, {}),
    **{
        name: ("detail_lines", f"detailLines[0].{name}.", fields, names)
        for name, (_, fields, names) in SUB_OBJECTS.items()
    },
}
FIELDS = [
    (place, name, kind)
    for place, (_, _, fields, _) in PLACES.items()
    for name, kind in fields.items()
    if name not in KEYS
]


@pytest.fixture(scope="module")
def warehouse(stack: Any) -> Iterator[Warehouse]:
    with (
        own_database(stack.environment) as database,
        open_warehouse(database, sessions=1) as warehouse,
    ):
        yield warehouse


def check_with(number: int, place: str, name: str, value: Any) -> dict[str, Any]:
    """Write a check with one field beside its keys."""
    tax = {"taxNum": 1} | ({name: value} if place == "taxes" else {})
    line: dict[str, Any] = {"guestCheckLineItemId": number}
    if place == "detailLines":
        line[name] = value
    elif place in SUB_OBJECTS:
        line[place] = {name: value}
    check = {"guestCheckId": number, "taxes": [tax], "detailLines": [line]}
    return check | ({name: value} if place == "" else {})


def stored(kind: str, meant: Any) -> Any:
    """Tell what the database says of a value."""
    if kind == "utc" and meant.tzinfo is None:
        return meant.replace(tzinfo=UTC)
    return meant


def refused(kind: str) -> list[Any]:
    """Give what a field refuses, but NaN and Infinity: they are no JSON, and another parser's.

    What comes in the place of text goes to extra.
    """
    if kind in ("text", "scalar"):
        return []
    return [
        value
        for value in KINDS[kind].refused
        if not isinstance(value, Decimal) or value.is_finite()
    ]


@pytest.mark.parametrize("version", [{"lastUpdatedUTC": "2024-01-01T10:00:00"}, {}])
def test_every_value_that_a_field_of_a_check_takes_is_in_its_column(
    warehouse: Warehouse, version: dict[str, str]
) -> None:
    cases = [
        (place, name, kind, sent, meant)
        for place, name, kind in FIELDS
        for sent, meant in KINDS[kind].taken
    ]
    warehouse.empty()
    warehouse.load(
        staged(
            checks(
                *(
                    {**check_with(number, place, name, sent), **version}
                    for number, (place, name, _, sent, _) in enumerate(cases)
                )
            )
        )
    )
    rows = {
        table: {row["guest_check_id"]: row for row in warehouse.rows(table)}
        for table in ("guest_checks", "taxes", "detail_lines")
    }
    for number, (place, name, kind, sent, meant) in enumerate(cases):
        table, _, _, names = PLACES[place]
        found = rows[table][number].get(names.get(name, column(name)))
        case = (place, name, sent)
        # As text, in which a number has all of its digits.
        assert (case, str(stored(kind, meant))) == (case, str(found))


@pytest.mark.parametrize("version", [{"lastUpdatedUTC": "2024-01-01T10:00:00"}, {}])
def test_every_value_that_a_field_of_a_check_refuses_sets_that_check_aside(
    version: dict[str, str],
) -> None:
    cases = [(place, name, sent) for place, name, kind in FIELDS for sent in refused(kind)]
    bad = [{**check_with(number, *case), **version} for number, case in enumerate(cases)]
    found = prepared(checks({"guestCheckId": 0}, *bad, {"guestCheckId": 1}))
    assert (2, len(cases)) == (found.document.record_count, found.document.quarantined_count)
    for (place, name, _), record in zip(cases, found.quarantined, strict=False):
        assert [PLACES[place][1] + name] == [error.location for error in record.errors]


@pytest.mark.parametrize("name", list(LISTS))
def test_a_row_of_a_list_takes_and_refuses_the_same(warehouse: Warehouse, name: str) -> None:
    facts, source = LISTS[name], Source(name)
    taken = [
        (field, sent, stored(kind, meant))
        for field, kind in facts.fields.items()
        for sent, meant in KINDS[kind].taken
    ]
    warehouse.empty()
    rows = ({facts.id_field: n, field: sent} for n, (field, sent, _) in enumerate(taken))
    warehouse.load(staged(day_list(source, *rows), source))
    found = {row["record_id"]: row for row in warehouse.rows(facts.table)}
    for number, (field, _, meant) in enumerate(taken):
        assert (field, str(meant)) == (field, str(found[str(number)][column(field)]))

    bad_values = [(field, sent) for field, kind in facts.fields.items() for sent in refused(kind)]
    bad = ({facts.id_field: n, field: sent} for n, (field, sent) in enumerate(bad_values))
    outcome = prepared(day_list(source, *bad, {facts.id_field: "good"}), source)
    assert 1 == outcome.document.record_count
    assert [field for field, _ in bad_values] == [
        record.errors[0].location for record in outcome.quarantined
    ]
