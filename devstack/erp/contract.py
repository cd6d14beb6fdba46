"""The published shape of getGuestChecks answers. Documents them; builds and checks nothing.

Field names and their meaning follow Oracle MICROS Simphony's Business Intelligence API.
"""

from datetime import date
from decimal import Decimal
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

from devstack.erp.names import erp_name

Amount = Annotated[Decimal, WithJsonSchema({"type": "number"})]
Id = Annotated[int, WithJsonSchema({"type": "integer", "format": "int64"})]
Utc = Annotated[
    str, Field(description="UTC, without a zone suffix.", examples=["2024-01-01T13:13:13"])
]
Lcl = Annotated[str, Field(description="The store's wall clock.", examples=["2024-01-01T10:13:13"])]


class ErpModel(BaseModel):
    """A part of an answer, named as the ERP names it."""

    model_config = ConfigDict(alias_generator=erp_name)


class Tax(ErpModel):
    """One tax of a check; `taxNum` is the tax's code."""

    tax_num: int
    txbl_sls_ttl: Amount
    tax_coll_ttl: Amount
    tax_rate: Amount = Field(description="Percent.")
    type: int


class MenuItem(ErpModel):
    """An item sold. An absent `modFlag` means false: not a modifier of another line."""

    mi_num: int
    mod_flag: bool | None = None
    incl_tax: Amount | None = None
    active_taxes: str | None = Field(default=None, examples=["28", "1,5"])
    prc_lvl: int


class Discount(ErpModel):
    """A discount; its amount is the line's own total."""

    dsc_num: int
    dsc_mi_num: int
    incl_tax: Amount | None = None
    active_taxes: str | None = None


class ServiceCharge(ErpModel):
    """A service charge; its amount is the line's own total."""

    svc_chg_num: int
    incl_tax: Amount


class TenderMedia(ErpModel):
    """A payment; its amount is the line's own total."""

    tmed_num: int


class ErrorCorrect(ErpModel):
    """The correction of a mistyped line."""

    type: int
    object_num: int


class Other(ErpModel):
    """Anything else, such as a reference printed on the check."""

    detail_type: int
    detail_num: int


class DetailLine(ErpModel):
    """One line of a check. Exactly one of the six sub-objects is there and names its type."""

    guest_check_line_item_id: Id
    rvc_num: int
    dtl_ot_num: int
    dtl_oc_num: int | None
    line_num: int
    dtl_id: int
    par_dtl_id: int | None = Field(default=None, description="dtlId of the line it modifies.")
    detail_utc: Utc
    detail_lcl: Lcl
    last_update_utc: Utc
    last_update_lcl: Lcl
    bus_dt: date
    ws_num: int
    dsp_ttl: Amount | None
    dsp_qty: Amount
    agg_ttl: Amount | None
    agg_qty: Amount
    chk_emp_id: Id
    chk_emp_num: int
    seat_num: int
    svc_rnd_num: int | None = None
    vd_flag: bool | None = None
    err_cor_flag: bool | None = None
    return_flag: bool | None = None
    do_not_show_flag: bool | None = None
    rsn_code_num: int | None = None
    ref_info1: str | None = None
    ref_info2: str | None = None
    trans_emp_id: Id | None = None
    trans_emp_num: int | None = None
    menu_item: MenuItem | None = None
    discount: Discount | None = None
    service_charge: ServiceCharge | None = None
    tender_media: TenderMedia | None = None
    error_correct: ErrorCorrect | None = None
    other: Other | None = None


class GuestCheck(ErpModel):
    """A check. Its version is `lastUpdatedUTC`; `clsd…` fields are null while it is open."""

    guest_check_id: Id
    chk_num: int = Field(description="Not unique.")
    opn_bus_dt: date
    opn_utc: Utc
    opn_lcl: Lcl
    clsd_bus_dt: date | None
    clsd_utc: Utc | None
    clsd_lcl: Lcl | None
    last_trans_utc: Utc
    last_trans_lcl: Lcl
    last_updated_utc: Utc
    last_updated_lcl: Lcl
    clsd_flag: bool
    gst_cnt: int
    sub_ttl: Amount = Field(description="After discounts.")
    non_txbl_sls_ttl: Amount | None
    chk_ttl: Amount
    dsc_ttl: Amount = Field(description="Zero or negative.")
    pay_ttl: Amount
    bal_due_ttl: Amount | None
    rvc_num: int
    ot_num: int
    oc_num: int | None
    tbl_num: int
    tbl_name: str
    emp_num: int
    num_srvc_rd: int
    num_chk_prntd: int
    chk_name: str | None = None
    chk_ref: str | None = None
    cancel_flag: bool | None = None
    auto_svc_ttl: Amount | None = None
    svc_chg_ttl: Amount | None = None
    tax_coll_ttl: Amount | None = None
    tip_total: Amount | None = None
    vd_ttl: Amount | None = None
    return_ttl: Amount | None = None
    error_correct_ttl: Amount | None = None
    reopn_frm_chk: int | None = None
    splt_frm_chk: int | None = None
    xfer_status: str | None = None
    xfer_to_chk_num: int | None = None
    taxes: list[Tax] | None = Field(default=None, description="Left out where there are none.")
    taxation: list[Tax] | None = Field(default=None, description="The other name of `taxes`.")
    detail_lines: list[DetailLine] | None = None


class GuestChecksAnswer(ErpModel):
    """The checks opened or closed on a business day."""

    cur_utc: Utc
    loc_ref: str
    guest_checks: list[GuestCheck] | None = None
