"""The sources: one entry each, and everything else about them is derived from it.

Paths and fields follow Oracle MICROS Simphony's Business Intelligence API. `docs/extending.md`
says how to add a source or a field.
"""

from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import Any, Self

from schemas.fields import BusinessDate, Record, StoreId, UtcTime
from schemas.guest_checks import GuestCheck
from schemas.store_days import CashBox, ChargeBack, FiscalInvoice, Transaction


class RootFields(Record):
    """The fields beside a document's list."""

    storeId: StoreId | None = None
    busDt: BusinessDate | None = None
    curUTC: UtcTime | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """What producer and consumer agree on about one source."""

    name: str  # in keys, tables, logs and on command lines
    path: str | None  # where the ERP serves it (POST); None for a source that is no endpoint
    list_field: str  # the root field that holds the records
    id_field: str  # identifies a record within its store, or its store and day
    model: type[Record]  # the contract of one record
    table: str
    comment: str  # what the table holds


_checks = partial(
    Entry,
    list_field="guestChecks",
    id_field="guestCheckId",
    model=GuestCheck,
    table="guest_checks",
    comment="Check headers, the newest version of each",
)


class Source(StrEnum):
    """Where a document comes from; the value is its name in keys, tables and logs."""

    entry: Entry

    def __new__(cls, entry: Any) -> Self:  # Any: `Source(name)` looks a member up
        """Make a member of its name; the entry goes with it."""
        source = str.__new__(cls, entry.name)
        source._value_ = entry.name
        source.entry = entry
        return source

    ERP = _checks("erp", path=None)
    GUEST_CHECKS = _checks("getGuestChecks", path="/res/getGuestChecks")
    FISCAL_INVOICE = Entry(
        "getFiscalInvoice",
        path="/bi/getFiscalInvoice",
        list_field="fiscalInvoices",
        id_field="invoiceId",
        model=FiscalInvoice,
        table="fiscal_invoices",
        comment="Fiscal invoices (NFC-e) of a store and business date",
    )
    CHARGE_BACK = Entry(
        "getChargeBack",
        path="/org/getChargeBack",
        list_field="chargeBacks",
        id_field="chargeId",
        model=ChargeBack,
        table="charge_backs",
        comment="Charge-backs of a store and business date, signs as sent",
    )
    TRANSACTIONS = Entry(
        "getTransactions",
        path="/trans/getTransactions",
        list_field="transactions",
        id_field="transactionId",
        model=Transaction,
        table="transactions",
        comment="Transactions of a store and business date",
    )
    CASH_MANAGEMENT = Entry(
        "getCashManagementDetails",
        path="/inv/getCashManagementDetails",
        list_field="cashManagement",
        id_field="cashBoxId",
        model=CashBox,
        table="cash_management_details",
        comment="Cash boxes of a store and business date",
    )

    @property
    def holds_checks(self) -> bool:
        """Whether documents of this source are lists of guest checks."""
        return self.entry.model is GuestCheck


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One ERP endpoint: POST `path` with `{"busDt": …, "storeId": …}`."""

    source: Source
    path: str

    @property
    def name(self) -> str:
        """The endpoint's name as keys and command lines spell it."""
        return self.source.value


ENDPOINTS: tuple[Endpoint, ...] = tuple(
    Endpoint(source, source.entry.path) for source in Source if source.entry.path
)
ENDPOINTS_BY_NAME: dict[str, Endpoint] = {endpoint.name: endpoint for endpoint in ENDPOINTS}
# Each answer of these is the whole day of one store.
STORE_DAY_LISTS: tuple[Source, ...] = tuple(source for source in Source if not source.holds_checks)
CHECKS_FIELD = Source.GUEST_CHECKS.entry.list_field
