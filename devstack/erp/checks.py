"""Writes tickets as the guest checks of a getGuestChecks answer, field by field."""

from dataclasses import dataclass

from devstack.erp import catalog
from devstack.erp.amounts import money, rounded, scaled
from devstack.erp.ticket import Json, Line, Ticket

LINES_PER_CHECK = 1000
_STALE_ONE_IN = 47
_TEN_MONTHS_SECONDS = 305 * 86_400


def guest_check(ticket: Ticket) -> Json:
    """Return a ticket as JSON values; arrays that would be empty are left out."""
    check = _identity(ticket) | _totals(ticket) | _service(ticket)
    check |= _special_totals(ticket) | ticket.leaves
    if taxes := collected_taxes(ticket):
        if ticket.party.order_type == catalog.DELIVERY:
            check["taxCollTtl"] = money(sum(tax.collected for tax in taxes))
        check["taxes"] = [_tax(tax) for tax in taxes]
    if ticket.lines:
        stale = ticket.check_id % _STALE_ONE_IN == 0
        check["detailLines"] = [_detail_line(ticket, line, stale=stale) for line in ticket.lines]
    return check


@dataclass(frozen=True, slots=True)
class CollectedTax:
    """One tax of a check: its number, what it was charged on, and the tax, in cents."""

    number: int
    taxable: int
    collected: int


def collected_taxes(ticket: Ticket) -> list[CollectedTax]:
    """Sum up the taxes included in a ticket's menu items, by tax number.

    Shares are added in millionths and rounded once, so the sum of the lines' `inclTax` and the
    check's tax may differ by less than a cent.
    """
    taxable: dict[int, int] = {}
    shares: dict[int, int] = {}
    for line in ticket.lines:
        active = line.body.get("menuItem", {}).get("activeTaxes", "")
        numbers = [int(number) for number in active.split(",") if number]
        percent = 100 + sum(catalog.TAX_RATES[number] for number in numbers)
        cents = line.cents or 0
        for number in numbers:
            share = rounded(cents * 10_000 * catalog.TAX_RATES[number], percent)
            taxable[number] = taxable.get(number, 0) + cents
            shares[number] = shares.get(number, 0) + share
    return [
        CollectedTax(number, taxable[number], rounded(shares[number], 10_000))
        for number in sorted(taxable)
    ]


def _tax(tax: CollectedTax) -> Json:
    return {
        "taxNum": tax.number,
        "txblSlsTtl": money(tax.taxable),
        "taxCollTtl": money(tax.collected),
        "taxRate": catalog.TAX_RATES[tax.number],
        "type": catalog.TAX_TYPE,
    }


def _identity(ticket: Ticket) -> Json:
    day, times = ticket.store_day, ticket.times
    closed = None if ticket.is_open else times.closed
    last = max((line.at for line in ticket.lines), default=times.opened)
    return {
        "guestCheckId": ticket.check_id,
        "chkNum": 1001 + ticket.index % 9000,
        "opnBusDt": day.day.isoformat(),
        "opnUTC": day.utc(times.opened),
        "opnLcl": day.lcl(times.opened),
        "clsdBusDt": None if closed is None else day.bus_dt(closed),
        "clsdUTC": None if closed is None else day.utc(closed),
        "clsdLcl": None if closed is None else day.lcl(closed),
        "lastTransUTC": day.utc(last),
        "lastTransLcl": day.lcl(last),
        "lastUpdatedUTC": day.utc(times.updated),
        "lastUpdatedLcl": day.lcl(times.updated),
        "clsdFlag": not ticket.is_open,
    }


def _totals(ticket: Ticket) -> Json:
    untaxed = sum(
        line.cents or 0
        for line in ticket.lines
        if line.kind == "menuItem" and "activeTaxes" not in line.body["menuItem"]
    )
    unpaid = ticket.due - ticket.total("tenderMedia")
    return {
        "gstCnt": ticket.party.guests,
        "subTtl": money(ticket.subtotal),
        "nonTxblSlsTtl": money(untaxed) if untaxed else None,
        "chkTtl": money(ticket.due),
        "dscTtl": money(ticket.discounts),
        "payTtl": money(ticket.total("tenderMedia")),
        "balDueTtl": money(unpaid) if unpaid else None,
    }


def _service(ticket: Ticket) -> Json:
    party = ticket.party
    return {
        "rvcNum": party.revenue_center,
        "otNum": party.order_type,
        "ocNum": None,
        "tblNum": party.table,
        "tblName": party.table_name,
        "empNum": 55_500 + party.employee,
        "numSrvcRd": max((line.leaves.get("svcRndNum", 0) for line in ticket.lines), default=0),
        "numChkPrntd": 0 if ticket.is_open else 1 + ticket.index % 2,
    }


def _special_totals(ticket: Ticket) -> Json:
    """Return the totals that appear only when they apply."""
    marked = {
        "vdTtl": _flagged(ticket, "vdFlag"),
        "returnTtl": _flagged(ticket, "returnFlag"),
        "errorCorrectTtl": ticket.total("errorCorrect"),
        "svcChgTtl": ticket.total("serviceCharge"),
    }
    totals: Json = {name: money(cents) for name, cents in marked.items() if cents}
    if "svcChgTtl" in totals and ticket.party.guests >= 5:
        totals["autoSvcTtl"] = totals.pop("svcChgTtl")
    return totals


def _flagged(ticket: Ticket, flag: str) -> int:
    return sum(line.cents or 0 for line in ticket.lines if line.leaves.get(flag))


def _detail_line(ticket: Ticket, line: Line, *, stale: bool) -> Json:
    """Write one line; a `stale` one has its two update times ten months apart, as seen live."""
    day, at, party = ticket.store_day, line.at, ticket.party
    utc, lcl = day.utc(at), day.lcl(at)
    total = None if line.cents is None else money(line.cents)
    quantity = scaled(line.quantity, 3)
    return {
        "guestCheckLineItemId": ticket.check_id * LINES_PER_CHECK + line.number,
        "rvcNum": party.revenue_center,
        "dtlOtNum": party.order_type,
        "dtlOcNum": None,
        "lineNum": line.number,
        "dtlId": line.number,
        "detailUTC": utc,
        "detailLcl": lcl,
        "lastUpdateUTC": day.utc(at + _TEN_MONTHS_SECONDS) if stale else utc,
        "lastUpdateLcl": lcl,
        "busDt": day.bus_dt(at),
        "wsNum": 1 + party.table % catalog.WORKSTATIONS,
        "dspTtl": total,
        "dspQty": quantity,
        "aggTtl": total,
        "aggQty": quantity,
        "chkEmpId": 10_454_300 + party.employee,
        "chkEmpNum": 81_000 + party.employee,
        "seatNum": 1 + line.number % party.guests,
        **line.leaves,
        **line.body,
    }
