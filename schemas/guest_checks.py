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

_INCLUDED_TAX: Any = Field(None, description="Tax included in the price, six decimals as sent")


class Tax(Record):
    """One tax of a check. `taxNum` is a code, not a row id; `taxRate` is in percent."""

    taxNum: Int64 = Field(description="A tax code, not a row id")
    txblSlsTtl: Number | None = None
    taxCollTtl: Number | None = None
    taxRate: Number | None = Field(None, description="Percent: 21 is 21 %")
    type: Int64 | None = None


class MenuItem(Record):
    """An item sold; `modFlag` says the line modifies its parent line."""

    miNum: Int64 | None = Field(None, description="The item; menu_items knows it by this number")
    modFlag: Flag | None = Field(False, description="The line modifies its parent line")
    inclTax: Number | None = _INCLUDED_TAX
    activeTaxes: Text | None = None
    prcLvl: Int64 | None = None


class Discount(Record):
    """A discount; its amount is the line's own total."""

    dscNum: Int64 | None = None
    dscMiNum: Int64 | None = None
    inclTax: Number | None = _INCLUDED_TAX
    activeTaxes: Text | None = None


class ServiceCharge(Record):
    """A service charge; its amount is the line's own total."""

    svcChgNum: Int64 | None = None
    inclTax: Number | None = _INCLUDED_TAX


class TenderMedia(Record):
    """A payment; its amount is the line's own total."""

    tmedNum: Int64 | None = None


class ErrorCorrect(Record):
    """A correction of an entry error (arrives as `errorCode` in some documents)."""

    type: ScalarText | None = None
    objectNum: Int64 | None = Field(None, description="errorCorrect.objectNum")


class Other(Record):
    """Any other kind of detail."""

    detailType: Int64 | None = None
    detailNum: Int64 | None = None


class DetailLine(Record):
    """One line of a check; at most one of the six sub-objects names its type."""

    guestCheckLineItemId: Int64
    rvcNum: Int64 | None = None
    dtlOtNum: Int64 | None = None
    dtlOcNum: Int64 | None = None
    lineNum: Int64 | None = None
    dtlId: Int64 | None = None
    parDtlId: Int64 | None = Field(None, description="dtl_id of the parent line inside the check")
    detailUTC: UtcTime | None = None
    detailLcl: LocalTime | None = None
    lastUpdateUTC: UtcTime | None = Field(
        None, description="As sent; known to be unreliable at the source"
    )
    lastUpdateLcl: LocalTime | None = None
    busDt: BusinessDate | None = None
    wsNum: Int64 | None = None
    dspTtl: Number | None = None
    dspQty: Number | None = None
    aggTtl: Number | None = None
    aggQty: Number | None = None
    chkEmpId: Int64 | None = None
    chkEmpNum: Int64 | None = None
    transEmpId: Int64 | None = None
    transEmpNum: Int64 | None = None
    svcRndNum: Int64 | None = None
    seatNum: Int64 | None = None
    vdFlag: Flag | None = False
    errCorFlag: Flag | None = False
    returnFlag: Flag | None = False
    doNotShowFlag: Flag | None = False
    rsnCodeNum: Int64 | None = None
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

    guestCheckId: Int64
    chkNum: Int64 | None = None
    opnBusDt: BusinessDate | None = None
    opnUTC: UtcTime | None = None
    opnLcl: LocalTime | None = None
    clsdBusDt: BusinessDate | None = None
    clsdUTC: UtcTime | None = None
    clsdLcl: LocalTime | None = None
    lastTransUTC: UtcTime | None = None
    lastTransLcl: LocalTime | None = None
    lastUpdatedUTC: UtcTime | None = Field(
        None, description="The version of the check; null while only partial documents were seen"
    )
    lastUpdatedLcl: LocalTime | None = None
    clsdFlag: Flag | None = None
    gstCnt: Int64 | None = None
    subTtl: Number | None = Field(None, description="Sales after discounts")
    nonTxblSlsTtl: Number | None = None
    chkTtl: Number | None = None
    dscTtl: Number | None = None
    payTtl: Number | None = None
    balDueTtl: Number | None = None
    rvcNum: Int64 | None = None
    otNum: Int64 | None = None
    ocNum: Int64 | None = None
    tblNum: Int64 | None = None
    tblName: Text | None = None
    empNum: Int64 | None = None
    numSrvcRd: Int64 | None = None
    numChkPrntd: Int64 | None = None
    chkName: Text | None = None
    cancelFlag: Flag | None = None
    autoSvcTtl: Number | None = None
    svcChgTtl: Number | None = None
    taxCollTtl: Number | None = None
    taxExmpSlsTtl: Number | None = None
    tipTotal: Number | None = None
    rndTtl: Number | None = None
    vdTtl: Number | None = None
    mgrVdTtl: Number | None = None
    returnTtl: Number | None = None
    errorCorrectTtl: Number | None = None
    reopnFrmChk: ScalarText | None = None
    reopnToChk: ScalarText | None = None
    spltFrmChk: ScalarText | None = None
    xferStatus: ScalarText | None = None
    xferToChkNum: ScalarText | None = None
    chkRef: ScalarText | None = None
    taxes: list[Tax] | None = None
    detailLines: list[DetailLine] | None = None
