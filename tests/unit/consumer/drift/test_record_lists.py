"""The hint for a refused document: where its records seem to be, or nothing."""

from typing import Any

import pytest

from consumer.documents.frames import DocumentInvalid, open_document
from consumer.drift.findings import RENAMED, find_root_drift
from consumer.drift.record_lists import suggest
from schemas.aliases import load_aliases
from schemas.keys import ErpKey
from schemas.registry import Source

ALIASES = load_aliases()
INVOICE = {"id": 1, "amount": 120, "tax": 20}
CHECK = {"guestCheckId": 7, "chkNum": 1, "taxes": [{"taxNum": 1, "type": 3}]}
CHECKS = {"locRef": "S", "guestChecks": [CHECK]}


@pytest.mark.parametrize(
    ("root", "source", "line"),
    [
        (
            {"date": "2024-03-05", "invoices": [INVOICE], "storeId": "S"},
            Source.FISCAL_INVOICE,
            '[getFiscalInvoice] "fiscalInvoices" = ["invoices"]',
        ),
        ({"data": CHECKS}, Source.ERP, '[records] getGuestChecks = ["data.guestChecks[]"]'),
        (
            {"data": {"locRef": "S", "guestChecks": []}},
            Source.GUEST_CHECKS,
            '[records] getGuestChecks = ["data.guestChecks[]"]',
        ),
        (CHECK, Source.ERP, '[records] getGuestChecks = ["[]"]'),
        ([CHECK, CHECK], Source.ERP, '[records] getGuestChecks = ["[]"]'),
        ([CHECKS, CHECKS], Source.ERP, '[records] getGuestChecks = ["[].guestChecks[]"]'),
        (
            {"payload": {"storeId": "S", "data": [{"transactionId": 1}]}},
            Source.TRANSACTIONS,
            '[records] getTransactions = ["payload.data[]"]',
        ),
        (
            {"revenueCenters": [{"rvcNum": 1, "invoices": [INVOICE]}, {"rvcNum": 2}]},
            Source.FISCAL_INVOICE,
            '[records] getFiscalInvoice = ["revenueCenters[].invoices[]"]',
        ),
    ],
)
def test_the_only_list_of_what_looks_like_records_is_named_with_the_line_to_add(
    root: Any, source: Source, line: str
) -> None:
    hint = suggest(root, source, ALIASES)
    assert hint is not None
    assert hint.endswith(f"add to the alias file: {line}")


@pytest.mark.parametrize(
    "root",
    [
        {"date": "2024-03-05", "storeId": "S"},
        {"invoices": [], "warnings": [{"code": 1, "text": "x"}]},
        {"stores": [{"storeId": "S", "busDt": "2024-03-05", "name": "x"}]},
        {"sold": [INVOICE], "cancelled": [INVOICE]},
        {"with.dot": [INVOICE]},
        {"amounts": [{"amount": 1}, {"amount": 2}]},
        [[INVOICE]],
        [],
        "text",
    ],
)
def test_there_is_no_hint_where_nothing_or_more_than_one_list_looks_like_records(root: Any) -> None:
    assert suggest(root, Source.FISCAL_INVOICE, ALIASES) is None


def test_what_lies_inside_records_is_not_taken_for_records() -> None:
    """Lines of a check carry some of the fields that checks have."""
    check = {"guestCheckId": 1, "detailLines": [{"rvcNum": 1, "guestCheckId": 1}]}
    hint = suggest({"checks": [check]}, Source.GUEST_CHECKS, ALIASES)
    assert hint is not None
    assert hint.endswith('[getGuestChecks] "guestChecks" = ["checks"]')


def test_other_names_of_fields_count_as_known() -> None:
    aliases = load_aliases('[getTransactions]\n"transactions.transactionId" = ["numero"]')
    root = {"payload": {"movimentos": [{"numero": 1, "valor": 2}]}}
    assert "payload.movimentos[]" in (suggest(root, Source.TRANSACTIONS, aliases) or "")
    assert suggest(root, Source.TRANSACTIONS, ALIASES) is None


def refusal(root: Any) -> DocumentInvalid:
    with pytest.raises(DocumentInvalid) as refused:
        open_document(root, Source.ERP, ErpKey(), ALIASES)
    return refused.value


def test_wrapped_bare_and_listed_documents_are_told_apart() -> None:
    assert "unknown fields are filled ('data')" in str(refusal({"data": CHECKS}))
    assert "its records seem to be at data.guestChecks[]" in str(refusal({"data": CHECKS}))
    assert "the document is a single record without the frame" in str(refusal(CHECK))
    assert "the document is a list of 2" in str(refusal([CHECKS, CHECKS]))


def test_of_an_unknown_envelope_drift_is_told_and_a_single_record_is_none() -> None:
    assert refusal({"data": CHECKS}).drifted is not None
    assert refusal(CHECK).drifted is None


def test_following_the_hint_leaves_good_documents_as_they_were() -> None:
    """The first unknown field by its name is `date`, which good documents have too."""
    line = '[getFiscalInvoice]\n"fiscalInvoices" = ["invoices"]'
    good = {
        "date": "2024-03-05",
        "busDt": "2024-03-05",
        "storeId": "S",
        "fiscalInvoices": [INVOICE],
    }
    bad = {"date": "2024-03-05", "busDt": "2024-03-05", "storeId": "S", "invoices": [INVOICE]}
    for root in (good, bad):
        rows = open_document(root, Source.FISCAL_INVOICE, ErpKey(), load_aliases(line))[1]
        assert [INVOICE] == rows


def test_drift_gives_no_line_either_where_two_lists_look_like_records() -> None:
    for root, expected in (
        ({"sold": [INVOICE], "cancelled": [INVOICE]}, []),
        ({"sold": [INVOICE], "rest": 1}, ["sold"]),
        ({"centres": [{"amount": 1, "invoices": [INVOICE]}]}, []),
    ):
        findings = find_root_drift(Source.FISCAL_INVOICE, root).findings
        assert expected == [found.path for found in findings if found.kind == RENAMED]
