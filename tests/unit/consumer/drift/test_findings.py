"""What is said of a document that has come apart from the contracts."""

from typing import Any

import pytest

from consumer.drift.findings import (
    DUPLICATE,
    LINE_TYPE,
    RENAMED,
    RETYPED,
    UNKNOWN,
    Finding,
    find_root_drift,
)
from schemas.registry import Source
from tests.support.samples import (
    changed_line,
    checks,
    day_list,
    full_check,
    prepared,
    usual_check,
    without,
)

LINES = "guestChecks.detailLines"
Kinds = dict[tuple[str, str], int]


def told(document: Any, source: Source = Source.ERP) -> tuple[Finding, ...]:
    """Return the findings of a document."""
    return prepared(document, source).document.drift.findings


def kinds(document: Any, source: Source = Source.ERP) -> Kinds:
    """Say what was found where, and how often."""
    return {(one.kind, one.path): one.occurrences for one in told(document, source)}


def came(document: Any, source: Source = Source.ERP) -> dict[str, tuple[int, int]]:
    """Say of the fields that came how many objects filled them, of how many."""
    drift = prepared(document, source).document.drift
    return {
        path: (filled, drift.record_counts[path.rpartition(".")[0]])
        for path, filled in drift.field_counts.items()
    }


def test_usual_documents_say_nothing() -> None:
    assert kinds(checks(usual_check(1), usual_check(2), curUTC="2024-01-02T00:00:00")) == {}


def test_unknown_fields_are_told_at_every_level() -> None:
    check = changed_line(1, colour="red")
    check["detailLines"][0]["menuItem"]["spice"] = 3
    check["taxes"][0]["note"] = None
    assert kinds(checks(check | {"mood": "good"}, hasMore=False)) == {
        (UNKNOWN, "guestChecks.mood"): 1,
        (UNKNOWN, "guestChecks.taxes.note"): 1,
        (UNKNOWN, f"{LINES}.colour"): 1,
        (UNKNOWN, f"{LINES}.menuItem.spice"): 1,
        (UNKNOWN, "hasMore"): 1,
    }


def test_a_number_in_quotes_is_told_with_what_was_expected() -> None:
    found = told(checks(usual_check(1, subTtl="9.50"), usual_check(2, chkNum="2")))
    assert set(found) == {
        Finding("guestChecks.subTtl", RETYPED, 1, "expected number"),
        Finding("guestChecks.chkNum", RETYPED, 1, "expected number"),
    }


def test_an_unknown_field_is_told_with_the_types_it_comes_as() -> None:
    found = told(
        checks(usual_check(1, mood="good"), usual_check(2, mood=1), usual_check(3, a=None))
    )
    assert set(found) == {
        Finding("guestChecks.mood", UNKNOWN, 2, "number or text"),
        Finding("guestChecks.a", UNKNOWN, 1),
    }


@pytest.mark.parametrize(
    ("check", "path"),
    [
        (usual_check(1, taxes=[{"taxNum": "28"}]), "guestChecks.taxes.taxNum"),
        (changed_line(1, dspTtl="9.50"), f"{LINES}.dspTtl"),
        (changed_line(1, menuItem={"miNum": "7"}), f"{LINES}.menuItem.miNum"),
        (usual_check(1, tblName=9), "guestChecks.tblName"),
        (usual_check(1, clsdFlag=1), "guestChecks.clsdFlag"),
        (usual_check(1, taxes={}), "guestChecks.taxes"),
        (changed_line(1, menuItem="coffee"), f"{LINES}.menuItem"),
    ],
)
def test_a_changed_type_is_told_at_every_level(check: Any, path: str) -> None:
    assert kinds(checks(check)) == {(RETYPED, path): 1}


def test_root_fields_are_compared_like_all_others() -> None:
    document = checks(store=None, storeId=1042, moreToCome=None)
    assert kinds(document) == {(RETYPED, "storeId"): 1, (UNKNOWN, "moreToCome"): 1}


@pytest.mark.parametrize(
    ("root", "found"),
    [
        ({"curUTC": 1704067200}, {(RETYPED, "curUTC"): 1}),
        ({"busDt": 20240101}, {(RETYPED, "busDt"): 1}),
        ({"guestChecks": {"1": {}}}, {(RETYPED, "guestChecks"): 1}),
        (
            {"checks": [full_check(1)]},
            {(RENAMED, "checks"): 1, (UNKNOWN, "checks"): 1},
        ),
    ],
)
def test_a_root_that_is_refused_is_compared_as_well(root: Any, found: Kinds) -> None:
    drift = find_root_drift(Source.GUEST_CHECKS, root)
    assert {(one.kind, one.path): one.occurrences for one in drift.findings} == found


def test_a_whole_number_and_one_with_decimals_are_one_type() -> None:
    assert kinds(checks(usual_check(1, subTtl=9), usual_check(2, subTtl=9.25))) == {}


def test_null_is_no_type() -> None:
    assert kinds(checks(usual_check(1, chkNum=None), usual_check(2))) == {}


def test_partial_checks_tell_unknown_and_retyped_fields() -> None:
    assert kinds(checks({"guestCheckId": 1, "chkNum": "1", "mood": 1})) == {
        (RETYPED, "guestChecks.chkNum"): 1,
        (UNKNOWN, "guestChecks.mood"): 1,
    }


def test_the_same_id_twice_is_told_and_its_lines_are_not_told_again() -> None:
    document = checks(usual_check(1), usual_check(1), usual_check(2), usual_check(1))
    assert kinds(document) == {(DUPLICATE, "guestChecks"): 2}


def test_the_same_tax_or_line_twice_in_a_check_is_told() -> None:
    check = usual_check(1)
    twice = {name: check[name] * 2 for name in ("taxes", "detailLines")}
    assert kinds(checks(check | twice)) == {
        (DUPLICATE, "guestChecks.taxes"): 1,
        (DUPLICATE, LINES): 1,
    }


def test_of_a_check_that_comes_again_only_lines_that_are_twice_in_it_are_told() -> None:
    check = usual_check(1)
    again = check | {"detailLines": check["detailLines"] * 3}
    assert kinds(checks(check, again)) == {(DUPLICATE, "guestChecks"): 1, (DUPLICATE, LINES): 2}


def test_a_line_id_in_two_checks_is_nothing_to_tell() -> None:
    [line] = usual_check(1)["detailLines"]
    assert kinds(checks(usual_check(1), usual_check(2, detailLines=[line]))) == {}


def test_a_full_and_a_partial_version_of_one_check_are_the_same_id_twice() -> None:
    partial = without(usual_check(1), "lastUpdatedUTC")
    assert kinds(checks(usual_check(1), partial)) == {(DUPLICATE, "guestChecks"): 1}


def test_a_row_twice_is_told_if_it_has_an_id() -> None:
    row, bare = {"invoiceId": 1, "amount": 1}, {"amount": 2}
    source = Source.FISCAL_INVOICE
    found = kinds(day_list(source, row, row, bare, bare), source)
    assert found == {(DUPLICATE, "fiscalInvoices"): 1}


def test_a_line_with_two_sub_objects_or_none_is_told() -> None:
    both = changed_line(1, discount={"dscNum": 1})
    assert kinds(checks(both)) == {(LINE_TYPE, LINES): 1}
    assert kinds(checks(changed_line(1, "menuItem"))) == {(LINE_TYPE, LINES): 1}
    assert kinds(checks(changed_line(1, discount=None))) == {}


def test_findings_are_counted_by_record_whatever_their_number() -> None:
    many = [usual_check(n, mood=n, subTtl=str(n)) for n in range(3000)]
    assert kinds(checks(*many)) == {
        (UNKNOWN, "guestChecks.mood"): 3000,
        (RETYPED, "guestChecks.subTtl"): 3000,
    }


def test_a_flood_of_unknown_fields_is_cut_off_and_hides_nothing_that_matters() -> None:
    flood = {f"x{n}": n for n in range(5000)}
    check = usual_check(1, chkNum="1", **flood)
    check["detailLines"][0]["dspTtl"] = "9.5"
    found = kinds(checks(check, check, **flood))
    assert len(found) == 200
    assert {path for kind, path in found if kind != UNKNOWN} == {
        "guestChecks",
        "guestChecks.chkNum",
        f"{LINES}.dspTtl",
    }


def test_a_flood_of_suspected_renames_is_cut_off_too() -> None:
    flood = {f"x{n}": [{"taxNum": n}] for n in range(3000)}
    found = kinds(checks(without(usual_check(1), "taxes", chkNum="1", **flood)))
    assert len(found) == 200
    assert (RETYPED, "guestChecks.chkNum") in found


def test_names_like_known_ones_are_looked_for_a_hundred_times_at_most() -> None:
    flood = {f"subTtl{n}": n for n in range(5000)}
    counted = came(checks(usual_check(1, **flood))).keys()
    assert len([path for path in counted if path.startswith("guestChecks.subTtl")]) == 101


def test_it_is_counted_which_fields_came_at_every_level() -> None:
    second = changed_line(2, dspTtl=None) | {"subTtl": None}
    found = came(checks(usual_check(1), second, curUTC=None))
    assert found == {
        "storeId": (1, 1),
        "guestChecks": (1, 1),
        "guestChecks.guestCheckId": (2, 2),
        "guestChecks.lastUpdatedUTC": (2, 2),
        "guestChecks.subTtl": (1, 2),
        "guestChecks.chkNum": (2, 2),
        "guestChecks.taxes": (2, 2),
        "guestChecks.detailLines": (2, 2),
        "guestChecks.taxes.taxNum": (2, 2),
        "guestChecks.taxes.taxCollTtl": (2, 2),
        f"{LINES}.guestCheckLineItemId": (2, 2),
        f"{LINES}.busDt": (2, 2),
        f"{LINES}.dspTtl": (1, 2),
        f"{LINES}.menuItem.miNum": (2, 2),
        f"{LINES}.menuItem.inclTax": (2, 2),
        f"{LINES}.menuItem.activeTaxes": (2, 2),
    }


def test_a_new_field_is_counted_if_its_name_and_type_are_like_a_known_scalars() -> None:
    check = usual_check(1, subTotal=1, mood=1, subText="x", subList=[1])
    assert came(checks(check)).keys() - came(checks(usual_check(1))).keys() == {
        "guestChecks.subTotal"
    }


@pytest.mark.parametrize(
    "check",
    [
        pytest.param(without(usual_check(1), "lastUpdatedUTC"), id="partial"),
        pytest.param(usual_check(1, clsdFlag=False), id="open"),
    ],
)
def test_of_unfinished_checks_no_field_is_counted_at_any_level(check: Any) -> None:
    assert came(checks(check)).keys() == {"storeId", "guestChecks"}


def test_a_check_whose_version_has_another_name_is_no_partial_one() -> None:
    check = without(usual_check(1), "lastUpdatedUTC", lastUpdUTC="2024-01-01T10:00:00")
    found = came(checks(check))
    assert found["guestChecks.lastUpdUTC"] == (1, 1)
    assert "guestChecks.lastUpdatedUTC" not in found


def test_a_quarantined_record_counts_as_well() -> None:
    """A renamed id sets records aside: that is when the rename must be told."""
    outcome = prepared(checks(without(usual_check(1), "guestCheckId", guestChkId=1)))
    assert outcome.document.quarantined_count == 1
    counts = outcome.document.drift.field_counts
    assert ("guestChecks.guestCheckId" in counts, counts["guestChecks.guestChkId"]) == (False, 1)
