"""The contracts of the four store-day lists: invoices, charge-backs, transactions, cash.

Each answer is the whole day of one store. The named fields are the minimum every ERP sends;
richer rows (invoice number and access key, tender, workstation …) keep the rest as extras.
"""

from dataclasses import dataclass

from schemas.fields import Number, RecordId, ScalarText, Text
from schemas.guest_checks import Record
from schemas.sources import Source


class FiscalInvoice(Record):
    """One fiscal invoice (NFC-e)."""

    invoiceId: RecordId | None = None
    amount: Number | None = None
    tax: Number | None = None


class ChargeBack(Record):
    """One charge-back; the sign of the amount is kept as sent."""

    chargeId: RecordId | None = None
    amount: Number | None = None
    reason: Text | None = None


class Transaction(Record):
    """One transaction; refunds and paid-outs are negative."""

    transactionId: RecordId | None = None
    type: ScalarText | None = None
    amount: Number | None = None


class CashBox(Record):
    """The cash management of one cash box."""

    cashBoxId: RecordId | None = None
    openingBalance: Number | None = None
    closingBalance: Number | None = None


@dataclass(frozen=True, slots=True)
class StoreDayList:
    """How one list source is framed: where its rows are and which field is their id."""

    field: str
    id_field: str
    model: type[Record]
    table: str


STORE_DAY_LISTS: dict[Source, StoreDayList] = {
    Source.FISCAL_INVOICE: StoreDayList(
        "fiscalInvoices", "invoiceId", FiscalInvoice, "fiscal_invoices"
    ),
    Source.CHARGE_BACK: StoreDayList("chargeBacks", "chargeId", ChargeBack, "charge_backs"),
    Source.TRANSACTIONS: StoreDayList("transactions", "transactionId", Transaction, "transactions"),
    Source.CASH_MANAGEMENT: StoreDayList(
        "cashManagement", "cashBoxId", CashBox, "cash_management_details"
    ),
}
CHECKS_FIELD = "guestChecks"


def list_field(source: Source) -> str:
    """Return the root field that holds the records of a source's documents."""
    return CHECKS_FIELD if source.holds_checks else STORE_DAY_LISTS[source].field
