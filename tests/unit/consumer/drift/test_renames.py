"""Which unknown field may be a known one under a new name, and the line that says so."""

import tomllib
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from consumer.drift.findings import RENAMED, Finding, find_drift
from consumer.drift.renames import refuse_unknown_paths, remedy, scalars_for
from consumer.drift.shapes import Shapes
from schemas import guest_checks
from schemas.aliases import AliasesInvalid, load_aliases
from schemas.registry import Source
from tests.support.samples import changed_line, checks, full_check, prepared, usual_check, without

LINES = "guestChecks.detailLines"


def remedy_of(found: Iterable[Finding]) -> str:
    [finding] = [finding for finding in found if finding.kind == RENAMED]
    assert finding.detail is not None
    return finding.detail


def applied(line: str) -> str:
    """Put a remedy into an alias file, as the operator is told to."""
    where, _, line = line.partition("] ")
    said, _, section = where.partition("[")
    assert said == "add to the alias file: "
    return f"[{section}]\n{line}\n"


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
    line = remedy_of(prepared(checks(check)).document.drift.findings)
    assert names in load_aliases(applied(line)).at(Source.GUEST_CHECKS, level)
    assert names in load_aliases(applied(line)).at(Source.ERP, level)


def test_with_its_remedy_a_renamed_structure_is_none_any_more() -> None:
    check = without(usual_check(1), "taxes", levies=[{"taxNum": 28, "taxCollTtl": 1}])
    line = remedy_of(prepared(checks(check)).document.drift.findings)
    again = prepared(checks(check), aliases=load_aliases(applied(line)))
    assert again.document.drift.findings == ()


LITTLE = [{"taxNum": 1, "a": 1, "b": 1}]


@pytest.mark.parametrize("value", [[], {}, [1], {"a": 1}, LITTLE, "taxes"])
def test_what_shares_less_than_half_of_its_fields_is_no_structure_renamed(value: Any) -> None:
    found = prepared(checks(without(usual_check(1), "taxes", levies=value))).document.drift.findings
    assert RENAMED not in {finding.kind for finding in found}


def test_a_structure_beside_the_one_it_is_like_is_no_rename() -> None:
    found = prepared(checks(usual_check(1, levies=[{"taxNum": 28}]))).document.drift.findings
    assert RENAMED not in {finding.kind for finding in found}


@pytest.mark.parametrize(
    ("source", "level", "unknown", "kind", "known"),
    [
        (Source.ERP, "guestChecks", "subTotal", "number", "subTtl"),
        (Source.ERP, "guestChecks", "employeeNum", "number", "empNum"),
        (Source.ERP, f"{LINES}.menuItem", "menuItemNum", "number", "miNum"),
        (Source.CHARGE_BACK, "chargeBacks", "reasonText", "text", "reason"),
        (Source.GUEST_CHECKS, "", "currentUTC", "text", "curUTC"),
        (Source.GUEST_CHECKS, "", "locationRef", "text", "storeId"),
        (Source.TRANSACTIONS, "", "businessDate", "text", "busDt"),
    ],
)
def test_a_scalar_may_be_one_with_a_like_name_or_alias_and_the_same_type(
    source: Source, level: str, unknown: str, kind: str, known: str
) -> None:
    assert scalars_for(source, level, unknown, kind)[0] == known


@pytest.mark.parametrize("kind", ["text", "boolean"])
def test_a_scalar_of_another_type_is_another_field(kind: str) -> None:
    assert "subTtl" not in scalars_for(Source.ERP, "guestChecks", "subTotal", kind)


def test_a_scalar_with_a_name_like_none_is_another_field() -> None:
    assert scalars_for(Source.ERP, "guestChecks", "zzz", "number") == ()


KNOWN = {
    field.alias or name
    for record in vars(guest_checks).values()
    if isinstance(record, type) and issubclass(record, BaseModel)
    for name, field in record.model_fields.items()
}


@given(
    st.text(
        st.characters(exclude_categories=["Cs"], exclude_characters="\0")
        | st.sampled_from('"\\\n]\x7f'),
        min_size=1,
        max_size=30,
    ).filter(lambda name: name not in KNOWN)
)
def test_a_remedy_is_valid_whatever_the_new_name(name: str) -> None:
    shapes = Shapes()
    shapes.count_check(full_check(1, **{name: [{"taxNum": 28}]}))
    line = remedy_of(find_drift(Source.GUEST_CHECKS, shapes).findings)
    assert tomllib.loads(applied(line)) == {"getGuestChecks": {"guestChecks.taxes": [name]}}
    assert (name, "taxes") in load_aliases(applied(line)).at(Source.ERP, "guestChecks")
    assert line == remedy(Source.ERP, "guestChecks", name, "taxes")


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ('[getGuestChecks]\n"guestChecks.gstCntt" = ["guests"]', "'guestChecks.gstCnt'"),
        ('[getGuestChecks]\n"gstCnt" = ["guests"]', "has a field 'gstCnt'"),
        ('[getTransactions]\n"guestChecks.gstCnt" = ["guests"]', "of getTransactions"),
        ('["*"]\nstoreIdd = ["shop"]', "did you mean 'storeId'?"),
    ],
)
def test_a_rename_of_a_field_that_no_document_has_is_refused(text: str, hint: str) -> None:
    with pytest.raises(AliasesInvalid) as refused:
        refuse_unknown_paths(load_aliases(text), "/etc/aliases.toml")
    assert "/etc/aliases.toml: no document of " in str(refused.value)
    assert hint in str(refused.value)


@pytest.mark.parametrize(
    "text",
    [
        "",
        '["*"]\n"guestChecks.detailLines.menuItem.miNum" = ["item"]',
        '[getTransactions]\n"transactions" = ["rows"]\n"transactions.amount" = ["value"]',
        '[getGuestChecks]\n"guestChecks" = ["checks"]\n"curUTC" = ["nowUTC"]',
    ],
)
def test_a_rename_of_a_field_that_some_document_has_is_taken(text: str) -> None:
    aliases = load_aliases(text)
    before = aliases.fingerprint
    refuse_unknown_paths(aliases, "/etc/aliases.toml")
    assert before == aliases.fingerprint
