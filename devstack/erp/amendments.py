"""Corrections: how a check changes between two revisions of the ERP.

Each revision touches about one check in eight, settles those that the one before reopened, and
moves the `lastUpdatedUTC` of what it touched forward. Everything else stays byte for byte the same.
"""

from devstack.erp.amounts import money
from devstack.erp.dice import Dice
from devstack.erp.kitchen import pay, void_line
from devstack.erp.ticket import Line, Ticket

_AMENDED_PERCENT = 12
_MINUTE = 60


def leave_open(ticket: Ticket) -> None:
    """Turn a finished check back into one whose guests are still at the table."""
    ticket.is_open = True
    ticket.drop("tenderMedia")
    ticket.leaves.pop("tipTotal", None)
    last_line = max((line.at for line in ticket.lines), default=ticket.times.opened)
    ticket.times.updated = last_line


def amend(ticket: Ticket, revision: int) -> None:
    """Bring a check from one revision to the next, number `revision` (1 or above).

    Amendments of one check build on each other: apply them in order, from 1. A check that an
    earlier revision reopened is settled again.
    """
    store_day = ticket.store_day
    dice = Dice(store_day.key("check") + ticket.index + (revision << 64))
    if ticket.is_open:
        ticket.is_open = False
        pay(ticket, dice)
    elif dice.chance(_AMENDED_PERCENT):
        _correct(ticket, dice)
    else:
        return
    times = ticket.times
    times.updated = max(times.updated, times.closed) + dice.between(_MINUTE, 240 * _MINUTE)


def _correct(ticket: Ticket, dice: Dice) -> None:
    sold = _voidable(ticket)
    kind = dice.below(100)
    if kind < 45 or not ticket.lines:
        ticket.leaves["tipTotal"] = money(dice.between(1, 80) * 50)
    elif kind < 65 and sold:
        void_line(ticket, sold[0], ticket.times.closed, dice)
        ticket.drop("tenderMedia")
        pay(ticket, dice)
    elif kind < 85:
        ticket.is_open = True
        ticket.drop("tenderMedia")
        ticket.leaves["reopnFrmChk"] = ticket.index + 1001
    else:
        ticket.leaves["cancelFlag"] = True


def _voidable(ticket: Ticket) -> list[Line]:
    """Return the dishes that were not corrected, taken back or voided before."""
    dishes = [line for line in ticket.lines if line.kind == "menuItem"]
    voided = {line.body["menuItem"]["miNum"] for line in dishes if "vdFlag" in line.leaves}
    return [
        line
        for line in dishes
        if line.leaves.keys() == {"svcRndNum"} and line.body["menuItem"]["miNum"] not in voided
    ]
