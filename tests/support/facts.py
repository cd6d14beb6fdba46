"""What the ERP sends, field by field, in words of its own: read from the field lists, not from the contracts.

A kind says which JSON values a field takes, what they become and which column holds them.
"""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from schemas.fields import Record
from schemas.guest_checks import (
    DetailLine,
    Discount,
    ErrorCorrect,
    GuestCheck,
    MenuItem,
    Other,
    ServiceCharge,
    Tax,
    TenderMedia,
)
from schemas.registry import Source


@dataclass(frozen=True)
class Kind:
    """What a field of a kind takes: pairs of JSON value and meaning; and what it refuses."""

    column: str
    taken: tuple[tuple[Any, Any], ...]
    refused: tuple[Any, ...]


_TIME = datetime(2024, 1, 1, 9, 9, 9)  # noqa: DTZ001 - the store's wall clock has no zone
KINDS = {
    "int": Kind(
        "bigint",
        (
            (7, 7),
            (-7, -7),
            (0, 0),
            (9_988_776_655, 9_988_776_655),
            (2**63 - 1, 2**63 - 1),
            ("7", 7),
        ),
        (2**63, Decimal("7.5"), "seven", "", True, [], {}),
    ),
    "number": Kind(
        "numeric",
        (
            (7, 7),
            (Decimal("0.1"), Decimal("0.1")),
            (Decimal("-20.809091"), Decimal("-20.809091")),
            ("5.10", Decimal("5.10")),
            (Decimal("-0.50"), Decimal("-0.50")),
        ),
        ("much", "", "1,5", True, Decimal("NaN"), Decimal("Infinity"), [], {}),
    ),
    "text": Kind(
        "text", (("90", "90"), ('Joe "J"', 'Joe "J"'), ("", ""), (True, "true")), ([], {})
    ),
    "scalar": Kind("text", (("x", "x"), (7, "7"), (True, "true")), ([], {})),
    "id": Kind("text", (("A-3", "A-3"), ("007", "007"), (7, "7")), ([], {})),
    "flag": Kind("boolean", ((True, True), (False, False)), ("yes", 2, [], {})),
    "utc": Kind(
        "timestamp with time zone",
        (
            ("2024-01-01T09:09:09", _TIME),
            ("2024-01-01T09:09:09Z", _TIME.replace(tzinfo=UTC)),
            ("2024-01-01T06:09:09-03:00", _TIME.replace(tzinfo=UTC)),
        ),
        ("2024-01-01", "2024-02-30T09:09:09", "noon", "", 1_704_100_149, True, [], {}),
    ),
    "lcl": Kind(
        "timestamp without time zone",
        (("2024-01-01T09:09:09", _TIME),),
        ("2024-01-01", "2024-02-30T09:09:09", "noon", "", 1_704_100_149, True, [], {}),
    ),
    "date": Kind(
        "date",
        (("2024-01-01", date(2024, 1, 1)), ("2024-02-29", date(2024, 2, 29))),
        ("2024-02-30", "2023-02-29", "01/01/2024", "", 20_240_101, True, [], {}),
    ),
}


def _fields(**names_of_kind: str) -> dict[str, str]:
    return {name: kind for kind, names in names_of_kind.items() for name in names.split()}


HEADER = _fields(
    int="guestCheckId chkNum gstCnt rvcNum otNum ocNum tblNum empNum numSrvcRd numChkPrntd",
    date="opnBusDt clsdBusDt",
    utc="opnUTC clsdUTC lastTransUTC lastUpdatedUTC",
    lcl="opnLcl clsdLcl lastTransLcl lastUpdatedLcl",
    flag="clsdFlag cancelFlag",
    number="subTtl nonTxblSlsTtl chkTtl dscTtl payTtl balDueTtl autoSvcTtl svcChgTtl taxCollTtl"
    " taxExmpSlsTtl tipTotal rndTtl vdTtl mgrVdTtl returnTtl errorCorrectTtl",
    text="tblName chkName",
    # No source says what these come as.
    scalar="reopnFrmChk reopnToChk spltFrmChk xferStatus xferToChkNum chkRef",
)
TAX = _fields(int="taxNum type", number="txblSlsTtl taxCollTtl taxRate")
LINE = _fields(
    int="guestCheckLineItemId rvcNum dtlOtNum dtlOcNum lineNum dtlId parDtlId wsNum chkEmpId"
    " chkEmpNum transEmpId transEmpNum svcRndNum seatNum rsnCodeNum",
    utc="detailUTC lastUpdateUTC",
    lcl="detailLcl lastUpdateLcl",
    date="busDt",
    number="dspTtl dspQty aggTtl aggQty",
    flag="vdFlag errCorFlag returnFlag doNotShowFlag",
    text="refInfo1 refInfo2",
)

# In the order that decides what a line with two of them is: name, line type, fields, and the
# columns whose names do not follow from the field's.
SUB_OBJECTS: dict[str, tuple[str, dict[str, str], dict[str, str]]] = {
    "menuItem": (
        "menu_item",
        _fields(int="miNum prcLvl", flag="modFlag", number="inclTax", text="activeTaxes"),
        {"miNum": "menu_item_id"},
    ),
    "discount": (
        "discount",
        _fields(int="dscNum dscMiNum", number="inclTax", text="activeTaxes"),
        {},
    ),
    "serviceCharge": ("service_charge", _fields(int="svcChgNum", number="inclTax"), {}),
    "tenderMedia": ("tender_media", _fields(int="tmedNum"), {}),
    "errorCorrect": (
        "error_correct",
        _fields(scalar="type", int="objectNum"),
        {"type": "error_correct_type"},
    ),
    "other": ("other", _fields(int="detailType detailNum"), {}),
}


@dataclass(frozen=True)
class ListFacts:
    """One list endpoint: path, root list, id, table, and the kinds of its rows' fields."""

    path: str
    root: str
    id_field: str
    table: str
    fields: dict[str, str]


LISTS = {
    "getFiscalInvoice": ListFacts(
        "/bi/getFiscalInvoice",
        "fiscalInvoices",
        "invoiceId",
        "fiscal_invoices",
        _fields(
            number="amount tax",
            # Which types numbers and series have is not said.
            scalar="invoiceNumber series accessKey",
            int="guestCheckId wsNum",
            utc="transUTC",
            lcl="transLcl",
            flag="contingency",
        ),
    ),
    "getChargeBack": ListFacts(
        "/org/getChargeBack",
        "chargeBacks",
        "chargeId",
        "charge_backs",
        _fields(number="amount", text="reason", int="guestCheckId tmedNum", utc="transUTC"),
    ),
    "getTransactions": ListFacts(
        "/trans/getTransactions",
        "transactions",
        "transactionId",
        "transactions",
        _fields(
            scalar="type",
            number="amount",
            int="guestCheckId tmedNum wsNum empNum",
            utc="transUTC",
            lcl="transLcl",
            text="description",
        ),
    ),
    "getCashManagementDetails": ListFacts(
        "/inv/getCashManagementDetails",
        "cashManagement",
        "cashBoxId",
        "cash_management_details",
        _fields(
            number="openingBalance closingBalance overShortAmt",
            int="wsNum empNum",
            utc="openUTC closeUTC",
            text="description",
        ),
    ),
}

TABLES = (
    "guest_checks",
    "taxes",
    "detail_lines",
    "menu_items",
    *(facts.table for facts in LISTS.values()),
)


def column(field: str) -> str:
    """Write a field in snake_case: UTC and the like are one word."""
    return re.sub("(?<=[a-z0-9])(?=[A-Z])", "_", field).lower()


# Contract, kinds of its fields, and the fields that it cannot do without.
CONTRACTS: list[tuple[type[Record], dict[str, str], tuple[str, ...]]] = [
    (GuestCheck, HEADER, ("guestCheckId",)),
    (Tax, TAX, ("taxNum",)),
    (DetailLine, LINE, ("guestCheckLineItemId",)),
    *(
        (model, SUB_OBJECTS[name][1], ())
        for name, model in {
            "menuItem": MenuItem,
            "discount": Discount,
            "serviceCharge": ServiceCharge,
            "tenderMedia": TenderMedia,
            "errorCorrect": ErrorCorrect,
            "other": Other,
        }.items()
    ),
    *(
        (Source(name).entry.model, facts.fields | {facts.id_field: "id"}, ())
        for name, facts in LISTS.items()
    ),
]
