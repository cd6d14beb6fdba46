"""A renamed field is a line of configuration; two names of one field never hide a value."""

from typing import Any

import pytest

from schemas.aliases import AliasesInvalid, AmbiguousField, apply_renames, load_aliases
from schemas.record_paths import RecordPath
from schemas.registry import Source

SHIPPED = load_aliases()


@pytest.mark.parametrize("source", list(Source))
def test_locref_is_storeid_everywhere(source: Source) -> None:
    assert (("locRef", "storeId"),) == SHIPPED.at(source, "")


@pytest.mark.parametrize("source", [Source.ERP, Source.GUEST_CHECKS])
def test_taxation_and_errorcode_are_known_names_in_checks(source: Source) -> None:
    assert (("taxation", "taxes"),) == SHIPPED.at(source, "guestChecks")
    assert (("errorCode", "errorCorrect"),) == SHIPPED.at(source, "guestChecks.detailLines")


def test_other_sources_have_no_renames_of_checks() -> None:
    assert () == SHIPPED.at(Source.TRANSACTIONS, "guestChecks")


def test_an_extra_file_adds_to_the_shipped_one() -> None:
    aliases = load_aliases('[getTransactions]\n"transactions.amount" = ["value", "ttl"]')
    renames = aliases.at(Source.TRANSACTIONS, "transactions")
    assert (("value", "amount"), ("ttl", "amount")) == renames
    assert (("locRef", "storeId"),) == aliases.at(Source.TRANSACTIONS, "")


def test_a_section_of_the_api_holds_for_the_export_of_the_same_document() -> None:
    aliases = load_aliases('[getGuestChecks]\n"guestChecks.chkTtl" = ["total"]')
    assert ("total", "chkTtl") in aliases.at(Source.ERP, "guestChecks")


def test_the_extra_file_may_repeat_what_is_shipped() -> None:
    assert load_aliases('["*"]\nstoreId = ["locRef"]').at(Source.ERP, "") == SHIPPED.at(
        Source.ERP, ""
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("storeId = [", "is not TOML"),
        ('["*"] storeId = [', "is not TOML"),
        ('["*"] storeId = "shop"', "must be a list"),
        ('records = 1\n[records] erp = ["data[]"]', "must be a section"),
        ('storeId = ["shop"]', "must be a section"),
        ('[getNothing]\nstoreId = ["shop"]', "no source; use one of erp"),
        ('["*"]\nstoreId = "shop"', "must be a list"),
        ('["*"]\nstoreId = [1]', "must be a list"),
        ('["*"]\nstoreId = {shop = 1}', "must be a list"),
        ('["*"]\nstoreId = ["shop"]\nbusDt = ["shop"]', "keep one of the two"),
        ('[erp]\nbusDt = ["locRef"]', "keep one of the two"),
        ('["*"]\nlocRef = ["shop"]', "itself another name of 'storeId'"),
        ('[erp]\n"guestChecks.a" = ["b"]\n"guestChecks.b" = ["a"]', "itself another name"),
        ('[records]\ngetNothing = ["data[]"]', "no source; use one of erp"),
        ('[records]\nerp = "data[]"', "must be a list like .*payload"),
        ('[records]\nerp = ["data"]', "erp: 'data' is no record path; write"),
    ],
)
def test_a_file_of_another_form_is_refused_with_its_name_and_the_remedy(
    text: str, said: str
) -> None:
    with pytest.raises(AliasesInvalid, match=said) as refused:
        load_aliases(text, "/etc/aliases.toml")
    assert "/etc/aliases.toml" in str(refused.value)


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        ({"new": 1}, {"old": 1}),
        ({"new": None}, {"old": None}),
        ({"new": 0}, {"old": 0}),
        ({"old": 1}, {"old": 1}),
        ({"old": 1, "new": 1}, {"old": 1}),
        ({"old": None, "new": 1}, {"old": 1}),
        ({"old": [], "new": [1]}, {"old": [1]}),
        ({"old": "", "new": "x"}, {"old": "x"}),
        ({"old": 1, "new": None}, {"old": 1}),
        ({"old": {"a": 1}, "new": {}}, {"old": {"a": 1}}),
        ({"old": 0, "new": ""}, {"old": 0}),
        ({"old": False, "new": None}, {"old": False}),
        ({}, {}),
    ],
)
def test_the_filled_name_counts(record: dict[str, Any], expected: dict[str, Any]) -> None:
    apply_renames(record, (("new", "old"),))
    assert expected == record


@pytest.mark.parametrize(("old", "new"), [(1, 2), (0, 1), (False, True), ("a", "b"), ([1], [2])])
def test_two_names_with_two_values_are_ambiguous(old: Any, new: Any) -> None:
    with pytest.raises(AmbiguousField, match="both 'old' and its other name 'new'"):
        apply_renames({"old": old, "new": new}, (("new", "old"),))


def test_what_is_not_ambiguous_is_renamed_though_something_else_is() -> None:
    record = {"old": 1, "new": 2, "other": 3}
    with pytest.raises(AmbiguousField):
        apply_renames(record, (("new", "old"), ("other", "known")))
    assert {"old": 1, "known": 3} == record


def test_two_other_names_with_two_values_are_ambiguous_too() -> None:
    with pytest.raises(AmbiguousField):
        apply_renames({"a": 1, "b": 2}, (("a", "old"), ("b", "old")))


def test_record_paths_are_read_for_each_source_in_their_order() -> None:
    aliases = load_aliases(
        '[records]\n"*" = ["[]"]\ngetGuestChecks = ["payload.data[]", "a[].b[]"]'
    )
    assert ["[]", "payload.data[]", "a[].b[]"] == [*map(str, aliases.record_paths(Source.ERP))]
    assert ["[]"] == [*map(str, aliases.record_paths(Source.TRANSACTIONS))]
    assert () == SHIPPED.record_paths(Source.ERP)


def test_lines_are_read_as_hints_print_them_whatever_else_the_file_says() -> None:
    """A section and its entry on one line, more than once, before and after sections."""
    aliases = load_aliases(
        '[records] getGuestChecks = ["data[]"]\n'
        "[getGuestChecks] # their names = ours\n"
        '"guestChecks.chkTtl" = ["total"]\n'
        '  [records] getGuestChecks = ["[]"]\n'
        '"guestChecks.gstCnt" = ["guests"]\n'
        '[getGuestChecks] "guestChecks.chkTtl" = ["ttl"]'
    )
    assert ["data[]", "[]"] == [*map(str, aliases.record_paths(Source.ERP))]
    names = [("taxation", "taxes"), ("total", "chkTtl"), ("ttl", "chkTtl"), ("guests", "gstCnt")]
    assert sorted(names) == sorted(aliases.at(Source.ERP, "guestChecks"))


@pytest.mark.parametrize(
    "text", ["", "data", "a[]b[]", "[][]", "a..b[]", ".a[]", "a[].", "[]a[]", "a[0]", "a[].b"]
)
def test_what_is_no_record_path_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no record path"):
        RecordPath.of(text)


def test_record_paths_and_their_order_are_part_of_the_fingerprint() -> None:
    """Consumers with different files must be told apart."""
    texts = ("", '[records]\nerp = ["a[]", "b[]"]', '[records]\nerp = ["b[]", "a[]"]')
    assert 3 == len({load_aliases(text).fingerprint for text in texts})
    assert SHIPPED.fingerprint == load_aliases("").fingerprint
