"""What is said of documents that have come apart from the contracts."""

import tomllib
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumer.preparation import Knowledge, prepare
from consumer.usual import UsualFields
from schemas.aliases import load_aliases
from schemas.drift import (
    DUPLICATE,
    LINE_TYPE,
    MISSING,
    RENAMED,
    RETYPED,
    UNKNOWN,
    Finding,
    find_drift,
)
from schemas.shapes import Shapes
from schemas.sources import Source
from tests.samples import NO_LIMIT, checks, day_list, fetched, full_check

LINES = "guestChecks.detailLines"
Kinds = dict[tuple[str, str], int]


class Reader:
    """Reads one document after the other, and learns from each as the consumer does."""

    def __init__(self, source: Source = Source.ERP) -> None:
        self.source = source
        self.usual = UsualFields()

    def read(self, document: Any) -> dict[Finding, int]:
        """Prepare a document and return its findings."""
        knowledge = Knowledge(load_aliases(), self.usual)
        prepared = prepare(fetched(document, self.source), knowledge, NO_LIMIT)
        self.usual.learn(self.source, prepared.presences)
        return prepared.document.findings

    def kinds(self, document: Any) -> Kinds:
        """Say what was found where, and how often."""
        counted: Counter[tuple[str, str]] = Counter()
        for finding, count in self.read(document).items():
            counted[finding.kind, finding.path] += count
        return dict(counted)


def usual_check(number: int, **fields: Any) -> dict[str, Any]:
    line = {
        "guestCheckLineItemId": number,
        "busDt": "2024-01-01",
        "dspTtl": 9.5,
        "menuItem": {"miNum": 7, "inclTax": 0.5, "activeTaxes": "28"},
    }
    record = full_check(
        number,
        subTtl=9.5,
        chkNum=number,
        taxes=[{"taxNum": 28, "taxCollTtl": 1}],
        detailLines=[line],
    )
    return record | fields


@pytest.fixture
def reader() -> Reader:
    """Give one that has read fifty usual checks."""
    made = Reader()
    assert made.kinds(checks(*map(usual_check, range(50)))) == {}
    return made


def without(record: dict[str, Any], *names: str, **more: Any) -> dict[str, Any]:
    return {name: value for name, value in record.items() if name not in names} | more


def changed_line(number: int, *names: str, **more: Any) -> dict[str, Any]:
    check = usual_check(number)
    return check | {"detailLines": [without(check["detailLines"][0], *names, **more)]}


def test_unknown_fields_are_told_at_every_level(reader: Reader) -> None:
    check = changed_line(1, colour="red")
    check["detailLines"][0]["menuItem"]["spice"] = 3
    check["taxes"][0]["note"] = None
    assert reader.kinds(checks(check | {"mood": "good"}, hasMore=False)) == {
        (UNKNOWN, "guestChecks.mood"): 1,
        (UNKNOWN, "guestChecks.taxes.note"): 1,
        (UNKNOWN, f"{LINES}.colour"): 1,
        (UNKNOWN, f"{LINES}.menuItem.spice"): 1,
        (UNKNOWN, "hasMore"): 1,
    }


def test_a_number_in_quotes_is_told_with_what_was_expected(reader: Reader) -> None:
    found = reader.read(checks(usual_check(1, subTtl="9.50"), usual_check(2, chkNum="2")))
    assert found == {
        Finding("guestChecks.subTtl", RETYPED, "expected number"): 1,
        Finding("guestChecks.chkNum", RETYPED, "expected number"): 1,
    }


def test_a_whole_number_and_one_with_decimals_are_one_type(reader: Reader) -> None:
    assert reader.kinds(checks(usual_check(1, subTtl=9), usual_check(2, subTtl=9.25))) == {}


def test_null_is_no_type(reader: Reader) -> None:
    assert reader.kinds(checks(usual_check(1, chkNum=None), usual_check(2))) == {}


def test_a_field_that_always_came_and_is_gone_from_a_document_is_missing(reader: Reader) -> None:
    gone = [without(usual_check(n), "subTtl") for n in range(3)]
    assert reader.kinds(checks(*gone)) == {(MISSING, "guestChecks.subTtl"): 3}


@pytest.mark.parametrize(
    ("check", "path"),
    [
        (changed_line(1, "dspTtl"), f"{LINES}.dspTtl"),
        (changed_line(1, dspTtl=None), f"{LINES}.dspTtl"),
        (changed_line(1, menuItem={"miNum": 7, "inclTax": 1}), f"{LINES}.menuItem.activeTaxes"),
        (usual_check(1, taxes=[{"taxNum": 28}]), "guestChecks.taxes.taxCollTtl"),
    ],
)
def test_a_field_is_missed_at_every_level(reader: Reader, check: Any, path: str) -> None:
    assert reader.kinds(checks(check)) == {(MISSING, path): 1}


def test_a_missing_field_is_told_again_until_it_is_back_and_then_no_more(reader: Reader) -> None:
    missing = {(MISSING, "guestChecks.subTtl"): 1}
    for _ in range(3):
        assert reader.kinds(checks(without(usual_check(1), "subTtl"))) == missing
    assert reader.kinds(checks(usual_check(2))) == {}
    assert reader.kinds(checks(without(usual_check(1), "subTtl"))) == missing


def test_a_field_that_did_not_always_come_is_never_missing(reader: Reader) -> None:
    sometimes = [usual_check(n, tblName="90") if n % 2 else usual_check(n) for n in range(50)]
    assert reader.kinds(checks(*sometimes)) == {}
    assert reader.kinds(checks(usual_check(1))) == {}


def test_nothing_is_missing_before_twenty_records_were_seen() -> None:
    reader = Reader()
    reader.read(checks(*map(usual_check, range(19))))
    assert reader.kinds(checks(without(usual_check(1), "subTtl"))) == {}
    reader = Reader()
    reader.read(checks(*map(usual_check, range(20))))
    assert reader.kinds(checks(without(usual_check(1), "subTtl"))) != {}


def test_an_empty_day_misses_nothing(reader: Reader) -> None:
    assert reader.kinds(checks()) == {}


def test_partial_checks_miss_nothing_at_any_level(reader: Reader) -> None:
    """Missing fields are what makes them partial: of checks, of taxes and of lines."""
    partial = {
        "guestCheckId": 1,
        "taxes": [{"taxNum": 1}],
        "detailLines": [{"guestCheckLineItemId": 1, "menuItem": {"miNum": 1}}],
    }
    assert reader.kinds(checks(partial)) == {}
    assert reader.kinds(checks(partial, usual_check(1))) == {}
    # Nor do they teach that something comes only sometimes.
    assert reader.kinds(checks(without(usual_check(1), "subTtl"))) == {
        (MISSING, "guestChecks.subTtl"): 1
    }
    assert reader.kinds(checks(changed_line(1, "dspTtl"))) == {(MISSING, f"{LINES}.dspTtl"): 1}


def test_unknown_and_retyped_fields_of_partial_checks_are_told(reader: Reader) -> None:
    assert reader.kinds(checks({"guestCheckId": 1, "chkNum": "1", "mood": 1})) == {
        (RETYPED, "guestChecks.chkNum"): 1,
        (UNKNOWN, "guestChecks.mood"): 1,
    }


def remedy_of(found: dict[Finding, int]) -> str:
    [finding] = [finding for finding in found if finding.kind == RENAMED]
    assert finding.detail is not None
    return finding.detail


def applied(remedy: str) -> str:
    """Put a remedy into an alias file, as the operator is told to."""
    where, _, line = remedy.partition("] ")
    said, _, section = where.partition("[")
    assert said == "add to the alias file: "
    return f"[{section}]\n{line}\n"


def test_a_renamed_scalar_is_suspected_and_its_remedy_works(reader: Reader) -> None:
    renamed = checks(*(without(usual_check(n), "subTtl", subTotal=9.5) for n in range(3)))
    found = reader.read(renamed)
    remedy = remedy_of(found)
    assert found == {
        Finding("guestChecks.subTotal", UNKNOWN): 3,
        Finding("guestChecks.subTtl", MISSING): 3,
        Finding("guestChecks.subTotal", RENAMED, remedy): 3,
    }
    aliases = load_aliases(applied(remedy))
    assert ("subTotal", "subTtl") in aliases.at(Source.ERP, "guestChecks")
    again = prepare(fetched(renamed), Knowledge(aliases, reader.usual), NO_LIMIT)
    assert again.document.findings == {}


@pytest.mark.parametrize(
    ("check", "level", "names"),
    [
        (
            without(usual_check(1), "taxes", levies=[{"taxNum": 28, "taxCollTtl": 1}]),
            "guestChecks",
            ("levies", "taxes"),
        ),
        (
            changed_line(1, "menuItem", product={"miNum": 7, "inclTax": 1, "activeTaxes": "28"}),
            LINES,
            ("product", "menuItem"),
        ),
        (
            changed_line(1, "menuItem", money={"tmedNum": 4}),
            LINES,
            ("money", "tenderMedia"),
        ),
    ],
)
def test_a_renamed_structure_is_suspected_by_its_shape_alone(
    check: Any, level: str, names: tuple[str, str]
) -> None:
    """At once, in the first document: nothing has to be learned before."""
    remedy = remedy_of(Reader().read(checks(check)))
    assert names in load_aliases(applied(remedy)).at(Source.GUEST_CHECKS, level)
    assert names in load_aliases(applied(remedy)).at(Source.ERP, level)


def test_a_renamed_field_of_a_store_day_list_is_suspected() -> None:
    reader = Reader(Source.CHARGE_BACK)
    rows = [{"chargeId": n, "amount": 5, "reason": "late"} for n in range(30)]
    assert reader.kinds(day_list(Source.CHARGE_BACK, *rows)) == {}
    renamed = [without(row, "reason", reasonText="late") for row in rows]
    remedy = remedy_of(reader.read(day_list(Source.CHARGE_BACK, *renamed)))
    aliases = load_aliases(applied(remedy))
    assert ("reasonText", "reason") in aliases.at(Source.CHARGE_BACK, "chargeBacks")


def test_an_unknown_field_beside_a_complete_record_is_no_rename(reader: Reader) -> None:
    found = reader.kinds(checks(usual_check(1, subTotal=9.5)))
    assert found == {(UNKNOWN, "guestChecks.subTotal"): 1}


@pytest.mark.parametrize("value", ["text", True, {"a": 1}, [1], None])
def test_a_new_field_of_another_type_is_no_rename(reader: Reader, value: Any) -> None:
    found = reader.kinds(checks(without(usual_check(1), "subTtl", subTotal=value)))
    assert found == {
        (UNKNOWN, "guestChecks.subTotal"): 1,
        (MISSING, "guestChecks.subTtl"): 1,
    }


def test_a_field_that_was_always_unknown_is_no_rename_of_one_that_goes() -> None:
    reader = Reader()
    reader.read(checks(*(usual_check(n, subTotal=9.5) for n in range(50))))
    found = reader.kinds(checks(without(usual_check(1, subTotal=9.5), "subTtl")))
    assert (RENAMED, "guestChecks.subTotal") not in found
    assert (MISSING, "guestChecks.subTtl") in found


@given(
    st.text(
        st.characters(exclude_categories=["Cs"], exclude_characters="\0")
        | st.sampled_from('"\\\n]\x7f'),
        min_size=1,
        max_size=30,
    )
)
def test_a_remedy_is_valid_whatever_the_new_name(name: str) -> None:
    shapes = Shapes()
    check = {"guestCheckId": 1, name: [{"taxNum": 28}]}
    shapes.count_check(check)
    found, _ = find_drift(Source.GUEST_CHECKS, shapes, UsualFields())
    remedies = [finding.detail for finding in found if finding.kind == RENAMED]
    [remedy] = remedies
    assert remedy is not None
    assert tomllib.loads(applied(remedy)) == {"getGuestChecks": {"guestChecks.taxes": [name]}}
    assert (name, "taxes") in load_aliases(applied(remedy)).at(Source.ERP, "guestChecks")


def test_the_same_id_twice_is_told(reader: Reader) -> None:
    document = checks(usual_check(1), usual_check(1), usual_check(2), usual_check(1))
    assert reader.kinds(document) == {(DUPLICATE, "guestChecks"): 2}


def test_a_row_twice_is_told_if_it_has_an_id() -> None:
    row, bare = {"invoiceId": 1, "amount": 1}, {"amount": 2}
    found = Reader(Source.FISCAL_INVOICE).kinds(
        day_list(Source.FISCAL_INVOICE, row, row, bare, bare)
    )
    assert found == {(DUPLICATE, "fiscalInvoices"): 1}


def test_a_line_with_two_sub_objects_or_none_is_told(reader: Reader) -> None:
    both = changed_line(1, discount={"dscNum": 1})
    assert reader.kinds(checks(both)) == {(LINE_TYPE, LINES): 1}
    assert reader.kinds(checks(changed_line(1, "menuItem"))) == {(LINE_TYPE, LINES): 1}


def test_a_line_of_another_type_misses_no_sub_object(reader: Reader) -> None:
    tender = changed_line(1, "menuItem", tenderMedia={"tmedNum": 4})
    assert reader.kinds(checks(tender)) == {}


def test_findings_are_counted_by_record_whatever_their_number(reader: Reader) -> None:
    many = [usual_check(n, mood=n, subTtl=str(n)) for n in range(3000)]
    assert reader.kinds(checks(*many)) == {
        (UNKNOWN, "guestChecks.mood"): 3000,
        (RETYPED, "guestChecks.subTtl"): 3000,
    }


def test_a_flood_of_unknown_fields_is_cut_off_and_hides_nothing_that_matters(
    reader: Reader,
) -> None:
    flood = {f"x{n}": n for n in range(5000)}
    check = without(usual_check(1), "subTtl", chkNum="1", **flood)
    check["detailLines"][0].pop("dspTtl")
    found = reader.kinds(checks(check))
    assert len(found) == 200
    assert {path for kind, path in found if kind != UNKNOWN} == {
        "guestChecks.subTtl",
        "guestChecks.chkNum",
        f"{LINES}.dspTtl",
    }


def test_a_flood_of_suspected_renames_is_cut_off_too(reader: Reader) -> None:
    flood = {f"x{n}": [{"taxNum": n}] for n in range(3000)}
    found = reader.kinds(checks(without(usual_check(1), "taxes", "subTtl", **flood)))
    assert len(found) == 200
    assert (MISSING, "guestChecks.subTtl") in found


def test_documents_that_use_ids_as_names_do_not_fill_what_is_remembered() -> None:
    reader = Reader()
    for start in range(0, 10_000, 1000):
        flood = {f"x{n}": n for n in range(start, start + 500)}
        flood |= {f"x{n}.y": n for n in range(start + 500, start + 1000)}
        reader.read(checks(usual_check(1, **flood)))
    learned = len(reader.usual.take_unsaved())
    assert learned < 2500
    assert len(reader.usual.known_fields(Source.ERP, "guestChecks")) <= 1000


def test_a_quarantined_record_counts_as_well_and_teaches_nothing(reader: Reader) -> None:
    """A renamed id sets records aside: that is when the rename must be told."""
    bad = without(usual_check(1), "guestCheckId", guestChkId=1)
    knowledge = Knowledge(load_aliases(), reader.usual)
    prepared = prepare(fetched(checks(bad)), knowledge, NO_LIMIT)
    assert prepared.document.quarantined_count == 1
    remedy = remedy_of(prepared.document.findings)
    assert ("guestChkId", "guestCheckId") in load_aliases(applied(remedy)).at(
        Source.ERP, "guestChecks"
    )
