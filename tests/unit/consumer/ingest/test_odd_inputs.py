"""Inputs as real files come: each ends as it should, and a refusal says what to do."""

import gzip
from typing import Any

import pytest

from consumer.drift.findings import RETYPED
from consumer.errors import Permanent
from schemas.aliases import load_aliases
from schemas.codes import ErrorCode
from schemas.registry import Source
from tests.support.json_text import json_bytes
from tests.support.samples import prepared

STORE = "99 CB CB"
CHECK: dict[str, Any] = {"guestCheckId": 7, "chkNum": 1, "lastUpdatedUTC": "2024-01-01T10:00:00"}
INVOICE = {"id": 1, "amount": 120, "tax": 20}
ROW = {"transactionId": 1, "type": "Debit", "amount": 5}


def export(**fields: Any) -> dict[str, Any]:
    return {"locRef": STORE, "guestChecks": [CHECK | fields]}


@pytest.mark.parametrize(
    ("source", "document"),
    [
        (Source.FISCAL_INVOICE, {"date": "2024-01-01", "invoices": [INVOICE]}),
        (Source.ERP, {"data": export()}),
        (Source.GUEST_CHECKS, CHECK),
        (Source.ERP, [export()]),
        (Source.TRANSACTIONS, {"payload": {"storeId": STORE, "data": [ROW]}}),
        (
            Source.FISCAL_INVOICE,
            {"locRef": STORE, "revenueCenters": [{"rvcNum": 1, "invoices": [INVOICE]}, {}]},
        ),
        (Source.ERP, json_bytes(export()) + b"\n" + json_bytes(export(guestCheckId=8))),
        (Source.GUEST_CHECKS, {"dados": [CHECK]}),
    ],
)
def test_the_line_in_the_refusal_lets_the_document_load(source: Source, document: Any) -> None:
    """Copied from the message into an alias file as it stands."""
    with pytest.raises(Permanent) as refused:
        prepared(document, source)
    assert refused.value.code in (ErrorCode.SCHEMA_INVALID, ErrorCode.JSON_MALFORMED)
    line = str(refused.value).partition("add to the alias file: ")[2]
    aliases = load_aliases(line)
    outcome = prepared(document, source, aliases=aliases)
    assert [] == outcome.quarantined
    assert 1 <= outcome.document.record_count
    assert STORE == outcome.document.frame.store_id


def test_a_single_record_without_a_store_is_told_both_at_once() -> None:
    """No key names its store either: the record path alone would not let it load."""
    aliases = load_aliases('[records] getGuestChecks = ["[]"]')
    message = "the document is a single record .*storeId .or locRef. is missing, and the key"
    with pytest.raises(Permanent, match=message):
        prepared(CHECK, Source.ERP)
    assert (
        1 == prepared(CHECK | {"locRef": STORE}, Source.ERP, aliases=aliases).document.record_count
    )


@pytest.mark.parametrize(
    "document",
    [
        export(detailLines=[{"guestCheckLineItemId": 1, "errorCode": "ERR7"}]),
        export(
            detailLines=[{"guestCheckLineItemId": 1, "menuItem": {"miNum": 1, "activeTaxes": [28]}}]
        ),
    ],
)
def test_an_odd_value_that_can_be_kept_loads_and_is_drift(document: Any) -> None:
    outcome = prepared(document)
    assert (1, []) == (outcome.document.record_count, outcome.quarantined)
    assert RETYPED in {found.kind for found in outcome.document.drift.findings}


@pytest.mark.parametrize(
    "document",
    [
        export(opnBusDt="0001-01-01", opnUTC="0001-01-01T00:00:00", total=3),
        export(lastUpdatedUTC="2024-01-01T10:00:00.1234567"),
        {"curUTC": "2024-01-02T06:00:00.7654321"} | export(),
        gzip.compress(json_bytes(export())),
    ],
)
def test_odd_documents_load_as_sent(document: Any) -> None:
    outcome = prepared(document)
    assert (1, []) == (outcome.document.record_count, outcome.quarantined)


@pytest.mark.parametrize(
    ("source", "document", "code"),
    [
        (
            Source.TRANSACTIONS,
            {"storeId": STORE, "busDt": "01/01/2024", "transactions": [ROW]},
            ErrorCode.SCHEMA_INVALID,
        ),
        (
            Source.TRANSACTIONS,
            {"storeId": STORE, "transactions": [ROW], "hasMore": True},
            ErrorCode.SCHEMA_INVALID,
        ),
        (Source.ERP, json_bytes(export()).decode().encode("utf-16"), ErrorCode.ENCODING_INVALID),
    ],
)
def test_what_cannot_be_told_is_refused_whole(
    source: Source, document: Any, code: ErrorCode
) -> None:
    with pytest.raises(Permanent) as refused:
        prepared(document, source)
    assert code == refused.value.code


def test_a_number_out_of_bounds_quarantines_its_record() -> None:
    outcome = prepared(json_bytes(export(chkTtl=5)).replace(b"5}", b"1e99999}"))
    assert ["chkTtl"] == [problem.location for problem in outcome.quarantined[0].errors]
