"""The contract of a guest check: header, taxes and detail lines.

Fields are spelt as Oracle's getGuestChecks spells them; others are kept as extras. Only keys are
required: whatever else is missing is null, or left alone when the document is partial.
"""

from typing import Any

from pydantic import Field

from schemas.fields import (
    BusinessDate,
    Flag,
    Int64,
    LocalTime,
    Number,
    Record,
    ScalarText,
    Text,
    UtcTime,
)

_ACTIVE_TAXES: Any = Field(None, description="Numbers of the taxes in the price, such as 28 or 1,5")
_INCLUDED_TAX: Any = Field(None, description="Tax included in the price, six decimals as sent")


class Tax(Record):
    """One tax of a check. `taxNum` is a code, not a row id; `taxRate` is in percent."""

    taxNum: Int64 = Field(description="A tax code, not a row id")
    txblSlsTtl: Number | None = Field(None, description="Sales that the tax was charged on")
    taxCollTtl: Number | None = Field(
        None, description="The tax, part of the prices; two decimals as sent"
    )
    taxRate: Number | None = Field(None, description="Percent: 21 is 21 %")
    type: Int64 | None = Field(None, description="Kind of tax, a code of the ERP")


class MenuItem(Record):
    """An item sold; `modFlag` says the line modifies its parent line."""

    miNum: Int64 | None = Field(None, description="The item; menu_items knows it by this number")
    modFlag: Flag | None = Field(False, description="The line modifies its parent line")
    inclTax: Number | None = _INCLUDED_TAX
    activeTaxes: Text | None = _ACTIVE_TAXES
    prcLvl: Int64 | None = Field(None, description="Price level that the item was sold at")


class Discount(Record):
    """A discount; its amount is the line's own total."""

    dscNum: Int64 | None = Field(None, description="The discount, a number of the ERP")
    dscMiNum: Int64 | None = Field(None, description="The item that the discount was given on")
    inclTax: Number | None = _INCLUDED_TAX
    activeTaxes: Text | None = _ACTIVE_TAXES


class ServiceCharge(Record):
    """A service charge; its amount is the line's own total."""

    svcChgNum: Int64 | None = Field(None, description="The service charge, a number of the ERP")
    inclTax: Number | None = _INCLUDED_TAX


class TenderMedia(Record):
    """A payment; its amount is the line's own total."""

    tmedNum: Int64 | None = Field(None, description="Means of payment, a number of the ERP")


class ErrorCorrect(Record):
    """A correction of an entry error (arrives as `errorCode` in some documents)."""

    type: ScalarText | None = Field(
        None, description="errorCorrect.type: what kind of line was corrected, 1 for an item"
    )
    objectNum: Int64 | None = Field(None, description="errorCorrect.objectNum")


class Other(Record):
    """Any other kind of detail."""

    detailType: Int64 | None = Field(
        None, description="other.detailType: kind of detail, a code of the ERP"
    )
    detailNum: Int64 | None = Field(None, description="other.detailNum: number within its kind")


class DetailLine(Record):
    """One line of a check; at most one of the six sub-objects names its type."""

    guestCheckLineItemId: Int64 = Field(description="Id of the line within its check")
    rvcNum: Int64 | None = Field(None, description="Revenue center of the line")
    dtlOtNum: Int64 | None = Field(None, description="Order type of the line")
    dtlOcNum: Int64 | None = Field(None, description="Order channel of the line")
    lineNum: Int64 | None = Field(None, description="Place of the line on the check")
    dtlId: Int64 | None = Field(
        None,
        description="Number of the line inside its check; par_dtl_id of lines that belong to it",
    )
    parDtlId: Int64 | None = Field(None, description="dtl_id of the parent line inside the check")
    detailUTC: UtcTime | None = Field(None, description="When the line was entered")
    detailLcl: LocalTime | None = Field(None, description="detail_utc on the store's wall clock")
    lastUpdateUTC: UtcTime | None = Field(
        None, description="As sent; known to be unreliable at the source"
    )
    lastUpdateLcl: LocalTime | None = Field(
        None, description="As sent, the store's wall clock; known to be unreliable at the source"
    )
    busDt: BusinessDate | None = Field(
        None,
        description="Business date on which the line was entered; the check's own is opn_bus_dt",
    )
    wsNum: Int64 | None = Field(None, description="Workstation on which the line was entered")
    dspTtl: Number | None = Field(
        None,
        description="Amount as the check shows it; mirrors of voids and corrections are negative",
    )
    dspQty: Number | None = Field(
        None,
        description="Quantity as the check shows it: fractional by weight, 0 and negative occur",
    )
    aggTtl: Number | None = Field(None, description="Amount as reports of the ERP sum it")
    aggQty: Number | None = Field(None, description="Quantity as reports of the ERP sum it")
    chkEmpId: Int64 | None = Field(None, description="Id of the employee who owns the check")
    chkEmpNum: Int64 | None = Field(None, description="Employee who owns the check")
    transEmpId: Int64 | None = Field(None, description="Id of the employee who entered the line")
    transEmpNum: Int64 | None = Field(None, description="Employee who entered the line")
    svcRndNum: Int64 | None = Field(None, description="Service round in which the line was ordered")
    seatNum: Int64 | None = Field(None, description="Seat that the line was ordered for")
    vdFlag: Flag | None = Field(
        False, description="The line is voided, or mirrors one that is: is_counted_line tells which"
    )
    errCorFlag: Flag | None = Field(False, description="The line was, or makes, a correction")
    returnFlag: Flag | None = Field(False, description="The line takes an item back")
    doNotShowFlag: Flag | None = Field(False, description="The printed check leaves the line out")
    rsnCodeNum: Int64 | None = Field(None, description="Reason of a void or return")
    refInfo1: Text | None = Field(None, description="May hold personal data")
    refInfo2: Text | None = Field(None, description="May hold personal data")
    menuItem: MenuItem | None = None
    discount: Discount | None = None
    serviceCharge: ServiceCharge | None = None
    tenderMedia: TenderMedia | None = None
    errorCorrect: ErrorCorrect | None = None
    other: Other | None = None


# In the order that decides the line type when a line carries two of them.
LINE_TYPES: dict[str, str] = {
    "menuItem": "menu_item",
    "discount": "discount",
    "serviceCharge": "service_charge",
    "tenderMedia": "tender_media",
    "errorCorrect": "error_correct",
    "other": "other",
}
UNKNOWN_LINE_TYPE = "unknown"


class GuestCheck(Record):
    """One check. With `lastUpdatedUTC` it is full and replaces; without, it is partial."""

    guestCheckId: Int64 = Field(description="Id of the check within its store")
    chkNum: Int64 | None = Field(
        None, description="Number that staff see; it comes again, use guest_check_id"
    )
    opnBusDt: BusinessDate | None = Field(
        None, description="Business date on which the check was opened: revenue belongs to it"
    )
    opnUTC: UtcTime | None = Field(None, description="When the check was opened")
    opnLcl: LocalTime | None = Field(None, description="opn_utc on the store's wall clock")
    clsdBusDt: BusinessDate | None = Field(
        None, description="Business date on which the check was closed; null while it is open"
    )
    clsdUTC: UtcTime | None = Field(None, description="Null while the check is open")
    clsdLcl: LocalTime | None = Field(None, description="clsd_utc on the store's wall clock")
    lastTransUTC: UtcTime | None = Field(
        None, description="When something was last entered; may be later than clsd_utc"
    )
    lastTransLcl: LocalTime | None = Field(None, description="last_trans_utc on the store's clock")
    lastUpdatedUTC: UtcTime | None = Field(
        None, description="The version of the check; null while only partial documents were seen"
    )
    lastUpdatedLcl: LocalTime | None = Field(
        None, description="last_updated_utc on the store's clock"
    )
    clsdFlag: Flag | None = Field(None, description="Whether the check is closed")
    gstCnt: Int64 | None = Field(None, description="Guests")
    subTtl: Number | None = Field(
        None, description="Sales after discounts, taxes in prices included"
    )
    nonTxblSlsTtl: Number | None = Field(None, description="Sales without any tax; often null")
    chkTtl: Number | None = Field(None, description="Sales and service charges: what is owed")
    dscTtl: Number | None = Field(
        None, description="Discounts, negative or 0; a line need not show each of them"
    )
    payTtl: Number | None = Field(None, description="What was paid")
    balDueTtl: Number | None = Field(None, description="Still to be paid; null when settled")
    rvcNum: Int64 | None = Field(None, description="Revenue center")
    otNum: Int64 | None = Field(None, description="Order type")
    ocNum: Int64 | None = Field(None, description="Order channel; null as far as seen")
    tblNum: Int64 | None = Field(None, description="Number of the table")
    tblName: Text | None = Field(None, description="Name of the table")
    empNum: Int64 | None = Field(None, description="Employee who owns the check")
    numSrvcRd: Int64 | None = Field(None, description="Service rounds")
    numChkPrntd: Int64 | None = Field(None, description="How often the check was printed")
    chkName: Text | None = Field(
        None, description="Free text that staff gave the check; may hold personal data"
    )
    cancelFlag: Flag | None = Field(
        None,
        description="The check was cancelled: it is no revenue, though its lines and payments stay",
    )
    autoSvcTtl: Number | None = Field(None, description="Service charges added by the ERP itself")
    svcChgTtl: Number | None = Field(None, description="Service charges that staff added")
    taxCollTtl: Number | None = Field(
        None, description="Sent for some checks only: sum taxes.tax_coll_ttl instead"
    )
    taxExmpSlsTtl: Number | None = Field(None, description="Sales exempt from tax")
    tipTotal: Number | None = Field(None, description="Tips")
    rndTtl: Number | None = Field(None, description="Rounding")
    vdTtl: Number | None = Field(None, description="Voids")
    mgrVdTtl: Number | None = Field(None, description="Voids by a manager")
    returnTtl: Number | None = Field(None, description="Items taken back")
    errorCorrectTtl: Number | None = Field(None, description="Corrections of entries")
    reopnFrmChk: ScalarText | None = Field(
        None, description="Check that this one was reopened from"
    )
    reopnToChk: ScalarText | None = Field(None, description="Check that this one was reopened as")
    spltFrmChk: ScalarText | None = Field(None, description="Check that this one was split from")
    xferStatus: ScalarText | None = Field(None, description="Transfer state, such as TO_CHECK")
    xferToChkNum: ScalarText | None = Field(None, description="Check that this one went to")
    chkRef: ScalarText | None = Field(None, description="Reference to a delivery or the like")
    taxes: list[Tax] | None = None
    detailLines: list[DetailLine] | None = None
