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
    amount: Number | None = Field(
        None, description="What the invoice is about: the check's chk_ttl, as a rule"
    )
    tax: Number | None = Field(None, description="Tax in the amount")
    invoiceNumber: ScalarText | None = Field(
        None, description="Number of the invoice within its series"
    )
    series: ScalarText | None = Field(None, description="Series of the invoice")
    accessKey: ScalarText | None = Field(None, description="NFC-e access key of 44 digits")
    guestCheckId: Int64 | None = Field(None, description="The check that was invoiced")
    transUTC: UtcTime | None = Field(None, description="When the invoice was issued")
    transLcl: LocalTime | None = Field(
        None, description="When the invoice was issued, the store's wall clock"
    )
    wsNum: Int64 | None = Field(None, description="Workstation that issued the invoice")
    contingency: Flag | None = Field(
        None, description="Issued offline, while the tax authority did not answer"
    )


class ChargeBack(Record):
    """One charge-back; the sign of the amount is kept as sent."""

    chargeId: RecordId | None = None
    amount: Number | None = Field(None, description="Amount in dispute, its sign as sent")
    reason: Text | None = Field(None, description="Reason as the card company words it")
    guestCheckId: Int64 | None = Field(None, description="The check that was paid")
    tmedNum: Int64 | None = Field(None, description="Means of payment, a number of the ERP")
    transUTC: UtcTime | None = Field(None, description="When the charge-back was reported")


class Transaction(Record):
    """One transaction; refunds and paid-outs are negative."""

    transactionId: RecordId | None = None
    type: ScalarText | None = Field(
        None, description="Kind of transaction, such as SALE, REFUND or PAID_OUT"
    )
    amount: Number | None = Field(
        None, description="Amount; refunds and what was paid out are negative"
    )
    guestCheckId: Int64 | None = Field(None, description="Null: money that belongs to no check")
    transUTC: UtcTime | None = Field(None, description="When the money changed hands")
    transLcl: LocalTime | None = Field(
        None, description="When the money changed hands, the store's wall clock"
    )
    tmedNum: Int64 | None = Field(None, description="Means of payment, a number of the ERP")
    wsNum: Int64 | None = Field(None, description="Workstation of the transaction")
    empNum: Int64 | None = Field(None, description="Number of the employee who took the money")
    description: Text | None = Field(None, description="Free text, as of what was paid out")


class CashBox(Record):
    """The cash management of one cash box."""

    cashBoxId: RecordId | None = None
    openingBalance: Number | None = Field(None, description="Money in the box when it was opened")
    closingBalance: Number | None = Field(
        None, description="Money in the box as counted when it was closed"
    )
    overShortAmt: Number | None = Field(
        None, description="Counted less expected: negative when money is missing"
    )
    wsNum: Int64 | None = Field(None, description="Workstation that the box belongs to")
    empNum: Int64 | None = Field(None, description="Employee of the box, a number of the ERP")
    openUTC: UtcTime | None = Field(None, description="When the box was opened")
    closeUTC: UtcTime | None = Field(None, description="When the box was closed")
    description: Text | None = Field(None, description="Free text, as of a box without a number")
