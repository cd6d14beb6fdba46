"""The published shape of the four store-day lists and of the simulator's own answers."""

from datetime import date

from pydantic import Field

from devstack.erp.contract import Amount, ErpModel, GuestChecksAnswer, Id, Lcl, Utc
from schemas.sources import Source

_MAY_LACK_ID = "Starts at 1 every day; some rows have none."


class FiscalInvoice(ErpModel):
    """An electronic consumer invoice (NFC-e)."""

    invoice_id: int | None = Field(default=None, description=_MAY_LACK_ID)
    amount: Amount
    tax: Amount
    invoice_number: int
    series: str
    access_key: str = Field(pattern=r"^\d{44}$")
    guest_check_id: Id
    trans_utc: Utc
    trans_lcl: Lcl
    ws_num: int
    contingency: bool | None = None


class ChargeBack(ErpModel):
    """A disputed card payment; the sign of the amount differs by acquirer."""

    charge_id: int | None = Field(default=None, description=_MAY_LACK_ID)
    amount: Amount
    reason: str
    guest_check_id: Id
    tmed_num: int
    trans_utc: Utc


class Transaction(ErpModel):
    """Money that moved: a payment, a refund, or cash paid out."""

    transaction_id: int | None = Field(default=None, description=_MAY_LACK_ID)
    type: str = Field(examples=["SALE", "REFUND", "PAID_OUT"])
    amount: Amount
    guest_check_id: Id | None = None
    trans_utc: Utc | None = None
    trans_lcl: Lcl | None = None
    tmed_num: int | None = None
    ws_num: int | None = None
    emp_num: int | None = None
    description: str | None = None


class CashBox(ErpModel):
    """A cash drawer's day."""

    cash_box_id: int | None = Field(default=None, description=_MAY_LACK_ID)
    opening_balance: Amount
    closing_balance: Amount
    over_short_amt: Amount | None = None
    ws_num: int | None = None
    emp_num: int | None = None
    open_utc: Utc | None = None
    close_utc: Utc | None = None
    description: str | None = None


class StoreDayAnswer(ErpModel):
    """What the four lists have in common. A list may be empty, null or absent: no rows."""

    store_id: str
    bus_dt: date


class FiscalInvoiceAnswer(StoreDayAnswer):
    """A day's fiscal invoices."""

    fiscal_invoices: list[FiscalInvoice] | None = None


class ChargeBackAnswer(StoreDayAnswer):
    """A day's charge-backs."""

    charge_backs: list[ChargeBack] | None = None


class TransactionsAnswer(StoreDayAnswer):
    """A day's transactions."""

    transactions: list[Transaction] | None = None


class CashManagementAnswer(StoreDayAnswer):
    """A day's cash boxes."""

    cash_management: list[CashBox] | None = None


ANSWER_MODELS: dict[Source, type[ErpModel]] = {
    Source.GUEST_CHECKS: GuestChecksAnswer,
    Source.FISCAL_INVOICE: FiscalInvoiceAnswer,
    Source.CHARGE_BACK: ChargeBackAnswer,
    Source.TRANSACTIONS: TransactionsAnswer,
    Source.CASH_MANAGEMENT: CashManagementAnswer,
}
