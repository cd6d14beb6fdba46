"""The six kinds of document and the five ERP endpoints they come from.

Paths and body fields follow Oracle MICROS Simphony's Business Intelligence API.
"""

from dataclasses import dataclass
from enum import StrEnum


class Source(StrEnum):
    """Where a document comes from; the value is its name in keys, tables and logs."""

    ERP = "erp"
    GUEST_CHECKS = "getGuestChecks"
    FISCAL_INVOICE = "getFiscalInvoice"
    CHARGE_BACK = "getChargeBack"
    TRANSACTIONS = "getTransactions"
    CASH_MANAGEMENT = "getCashManagementDetails"

    @property
    def holds_checks(self) -> bool:
        """Whether documents of this source are lists of guest checks."""
        return self in (Source.ERP, Source.GUEST_CHECKS)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One ERP endpoint: POST `path` with `{"busDt": …, "storeId": …}`."""

    source: Source
    path: str

    @property
    def name(self) -> str:
        """The endpoint's name as keys and command lines spell it."""
        return self.source.value


ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint(Source.GUEST_CHECKS, "/res/getGuestChecks"),
    Endpoint(Source.FISCAL_INVOICE, "/bi/getFiscalInvoice"),
    Endpoint(Source.CHARGE_BACK, "/org/getChargeBack"),
    Endpoint(Source.TRANSACTIONS, "/trans/getTransactions"),
    Endpoint(Source.CASH_MANAGEMENT, "/inv/getCashManagementDetails"),
)
ENDPOINTS_BY_NAME: dict[str, Endpoint] = {endpoint.name: endpoint for endpoint in ENDPOINTS}
