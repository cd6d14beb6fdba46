"""Which checks a store-day has: how many open, which stay open, which cross into the next day."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from devstack.erp.amendments import amend, leave_open
from devstack.erp.kitchen import draw_ticket
from devstack.erp.store_day import StoreDay
from devstack.erp.ticket import Ticket

_FRIDAY = 4
# A prime, so that days of 60,000 ids do not forget the same check every day.
_FORGOTTEN_OPEN_ONE_IN = 53


@dataclass(frozen=True, slots=True)
class Trade:
    """How the chain is doing.

    Attributes:
        checks_per_day: Checks opened per store and open day; None draws 20 to 60.
        closed_days_percent: Share of days without trade.
        today: The running business day, on which the last checks are still open.
        revision: How many rounds of corrections have happened.
    """

    checks_per_day: int | None
    closed_days_percent: float
    today: date
    revision: int = 0


def is_closed(store_day: StoreDay, trade: Trade) -> bool:
    """Say whether the store does not open on that day."""
    return store_day.dice("open").chance(trade.closed_days_percent)


def opened_tickets(store_day: StoreDay, trade: Trade) -> Iterator[Ticket]:
    """Yield the checks opened on a business day, in order, at the trade's revision."""
    count, late = _volume(store_day, trade)
    for index in range(count):
        yield _ticket(store_day, trade, index, count - late)


def answered_tickets(store_day: StoreDay, trade: Trade) -> Iterator[Ticket]:
    """Yield the checks in a day's answer.

    These are the previous day's checks that were still open at 04:00, then the day's own.
    """
    yesterday = store_day.previous
    count, late = _volume(yesterday, trade)
    for index in range(count - late, count):
        yield _ticket(yesterday, trade, index, count - late)
    yield from opened_tickets(store_day, trade)


def _volume(store_day: StoreDay, trade: Trade) -> tuple[int, int]:
    """Return how many checks open on the day, and how many of them (the last) close late."""
    if is_closed(store_day, trade):
        return 0, 0
    dice = store_day.dice("volume")
    weekend = store_day.day.weekday() >= _FRIDAY
    drawn = dice.between(40, 60) if weekend else dice.between(20, 42)
    count = trade.checks_per_day or drawn
    late = dice.between(1, 2) if dice.chance(70) else 0
    return count, min(late, count)


def _ticket(store_day: StoreDay, trade: Trade, index: int, in_time: int) -> Ticket:
    late = index >= in_time
    ticket = draw_ticket(store_day, index, index / max(in_time, 1), late=late)
    if _is_left_open(ticket, trade, late=late, share=index / max(in_time, 1)):
        leave_open(ticket)
    for revision in range(1, trade.revision + 1):
        amend(ticket, revision)
    return ticket


def _is_left_open(ticket: Ticket, trade: Trade, *, late: bool, share: float) -> bool:
    # Only before the first revision: a later one finds every check closed, whatever day it is
    # by then, so that versions never run backwards when the running day ends.
    if ticket.is_cancelled or trade.revision:
        return False
    if ticket.store_day.day == trade.today:
        return share > 0.7
    return not late and ticket.check_id % _FORGOTTEN_OPEN_ONE_IN == 0
