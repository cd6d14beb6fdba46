"""The contracts of the store-day lists: invoices, charge-backs, transactions, cash.

Each answer is the whole day of one store. The fields are those that the ERP is known to send; what
else a row has is kept as extras. Where no source confirms a type, any scalar is taken.
"""

from pydantic import Field

from schemas.fields import (
    Flag,
    Int64,
    LocalTime,
    Number,
    Record,
    RecordId,
    ScalarText,
    Text,
    UtcTime,
)


class FiscalInvoice(Record):
    """One fiscal invoice (NFC-e)."""

    invoiceId: RecordId | None = None
    amount: Number | None = None
    tax: Number | None = None
    invoiceNumber: ScalarText | None = None
    series: ScalarText | None = None
    accessKey: ScalarText | None = Field(None, description="NFC-e access key of 44 digits")
    guestCheckId: Int64 | None = Field(None, description="The check that was invoiced")
    transUTC: UtcTime | None = None
    transLcl: LocalTime | None = None
    wsNum: Int64 | None = None
    contingency: Flag | None = Field(
        None, description="Issued offline, while the tax authority did not answer"
    )


class ChargeBack(Record):
    """One charge-back; the sign of the amount is kept as sent."""

    chargeId: RecordId | None = None
    amount: Number | None = None
    reason: Text | None = None
    guestCheckId: Int64 | None = Field(None, description="The check that was paid")
    tmedNum: Int64 | None = None
    transUTC: UtcTime | None = None


class Transaction(Record):
    """One transaction; refunds and paid-outs are negative."""

    transactionId: RecordId | None = None
    type: ScalarText | None = None
    amount: Number | None = None
    guestCheckId: Int64 | None = Field(None, description="Null: money that belongs to no check")
    transUTC: UtcTime | None = None
    transLcl: LocalTime | None = None
    tmedNum: Int64 | None = None
    wsNum: Int64 | None = None
    empNum: Int64 | None = None
    description: Text | None = None


class CashBox(Record):
    """The cash management of one cash box."""

    cashBoxId: RecordId | None = None
    openingBalance: Number | None = None
    closingBalance: Number | None = None
    overShortAmt: Number | None = Field(
        None, description="Counted less expected: negative when money is missing"
    )
    wsNum: Int64 | None = None
    empNum: Int64 | None = None
    openUTC: UtcTime | None = None
    closeUTC: UtcTime | None = None
    description: Text | None = None
