"""Fields that come under a new name are suspected once many documents tell so."""

from datetime import timedelta

import pytest

from consumer.drift.findings import MISSING, RENAMED
from schemas.aliases import load_aliases
from tests.support.drifting import (
    FIRST,
    SOURCE,
    a_day,
    daily,
    inferred,
    read,
    report,
    without_field,
)
from tests.support.samples import STORE, prepared
from tests.support.warehouse import Warehouse


def test_a_scalar_renamed_is_suspected_with_the_line_for_the_alias_file(
    warehouse: Warehouse,
) -> None:
    """A single check is enough, when the new name fills the place of one that always came."""
    read(warehouse, daily(range(5)))
    read(warehouse, {5: without_field(a_day(5, count=1), "subTtl", subTotal=1)})
    rows = inferred(warehouse)
    assert rows.keys() == {(MISSING, "guestChecks.subTtl"), (RENAMED, "guestChecks.subTotal")}
    row = rows[RENAMED, "guestChecks.subTotal"]
    assert row["detail"] == (
        'add to the alias file: [getGuestChecks] "guestChecks.subTtl" = ["subTotal"]'
    )
    assert (row["occurrences"], row["objects"]) == (1, 1)
    assert (row["first_object_key"], row["stores"]) == (f"{STORE} day 5", [STORE])


def test_once_the_alias_is_there_and_the_days_are_loaded_again_nothing_is_told(
    warehouse: Warehouse,
) -> None:
    """What an object version shows now is in the place of what it showed before."""
    read(warehouse, daily(range(5)))
    renamed = {n: without_field(a_day(n), "subTtl", subTotal=1) for n in (5, 6)}
    read(warehouse, renamed)
    assert len(report(warehouse)) == 3
    aliases = load_aliases('[getGuestChecks]\n"guestChecks.subTtl" = ["subTotal"]')
    for number, document in renamed.items():
        day = {"day": FIRST + timedelta(days=number), "key": f"{STORE} day {number}"}
        again = prepared(document, SOURCE, number=number, aliases=aliases, **day)
        warehouse.load(again.document)
    assert report(warehouse) == {}


def test_a_new_field_beside_the_old_one_is_no_rename(warehouse: Warehouse) -> None:
    read(warehouse, daily(range(5)))
    read(warehouse, daily(range(5, 10), subTotal=1))
    assert inferred(warehouse) == {}


def test_a_field_that_came_before_is_no_rename_of_one_that_goes(warehouse: Warehouse) -> None:
    read(warehouse, daily(range(5), subTotal=1))
    read(warehouse, {n: without_field(a_day(n, subTotal=1), "subTtl") for n in range(5, 10)})
    assert inferred(warehouse).keys() == {(MISSING, "guestChecks.subTtl")}


def test_the_version_of_checks_renamed_is_suspected_though_they_seem_partial(
    warehouse: Warehouse,
) -> None:
    read(warehouse, daily(range(5)))
    read(
        warehouse, {5: without_field(a_day(5), "lastUpdatedUTC", lastUpdUTC="2024-01-01T10:00:00")}
    )
    assert (RENAMED, "guestChecks.lastUpdUTC") in inferred(warehouse)


@pytest.mark.parametrize(
    ("old", "new", "known"),
    [("curUTC", "currentUTC", "curUTC"), ("locRef", "locationRef", "storeId")],
)
def test_a_root_field_renamed_is_suspected_with_the_line_for_the_alias_file(
    warehouse: Warehouse, old: str, new: str, known: str
) -> None:
    root = {"curUTC": "2024-01-02T00:00:00", "locRef": STORE}
    read(warehouse, {n: {**root, "guestChecks": []} for n in range(25)})
    assert inferred(warehouse) == {}
    changed = {new if name == old else name: value for name, value in root.items()}
    read(warehouse, {n: {**changed, "guestChecks": []} for n in range(25, 27)})
    rows = inferred(warehouse)
    assert rows.keys() == {(MISSING, known), (RENAMED, new)}
    line = rows[RENAMED, new]["detail"].removeprefix("add to the alias file: [getGuestChecks] ")
    aliases = load_aliases(f"[getGuestChecks]\n{line}")
    assert (new, known) in aliases.at(SOURCE, "")
