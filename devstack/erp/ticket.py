"""The facts of one guest check, before they are written as JSON.

A ticket knows amounts in cents and times in seconds of its business day; the names of JSON
fields appear only in the sub-objects and optional leaves that it carries through unchanged.
"""

from dataclasses import dataclass, field
from typing import Any

from devstack.erp.store_day import StoreDay

Json = dict[str, Any]


@dataclass(slots=True)
class Line:
    """One detail line: exactly one sub-object in `body` names its type.

    `quantity` is in thousandths; `cents` is None where the ERP sends no total; `leaves` are the
    line's own optional fields. `number` is the line's dtlId, given by the ticket.
    """

    body: Json
    cents: int | None
    at: int
    quantity: int = 1000
    leaves: Json = field(default_factory=dict)
    number: int = field(default=0, init=False)

    @property
    def kind(self) -> str:
        """The sub-object's name."""
        return next(iter(self.body))


@dataclass(slots=True)
class Times:
    """When a check was opened, is (to be) closed, and was last changed, in seconds."""

    opened: int
    closed: int
    updated: int


@dataclass(frozen=True, slots=True)
class Party:
    """Who sat where and who served them."""

    guests: int
    table: int
    table_name: str
    employee: int
    revenue_center: int
    order_type: int


@dataclass(slots=True)
class Ticket:
    """A guest check as the store knows it.

    `leaves` are optional header fields, already as the answer names them.
    """

    store_day: StoreDay
    index: int
    times: Times
    party: Party
    lines: list[Line] = field(default_factory=list, init=False)
    leaves: Json = field(default_factory=dict, init=False)
    is_open: bool = field(default=False, init=False)
    unlisted_discount: int = field(default=0, init=False)
    _lines_ever: int = field(default=0, init=False)

    @property
    def check_id(self) -> int:
        """The check's guestCheckId."""
        return self.store_day.check_id(self.index)

    @property
    def is_cancelled(self) -> bool:
        """Whether the store cancelled the check; its lines stay as they were."""
        return bool(self.leaves.get("cancelFlag"))

    def add(self, line: Line) -> Line:
        """Append a line under the next number; numbers of dropped lines are never reused."""
        self._lines_ever += 1
        line.number = self._lines_ever
        self.lines.append(line)
        return line

    def drop(self, kind: str) -> None:
        """Take all lines of one kind off the check."""
        self.lines = [line for line in self.lines if line.kind != kind]

    def total(self, *kinds: str) -> int:
        """Sum the lines of some kinds, in cents."""
        return sum(line.cents or 0 for line in self.lines if line.kind in kinds)

    @property
    def discounts(self) -> int:
        """All discounts, including one that the ERP shows only in the header (0 or below)."""
        return self.total("discount") + self.unlisted_discount

    @property
    def subtotal(self) -> int:
        """Sales after discounts and corrections, in cents."""
        return self.total("menuItem", "errorCorrect") + self.discounts

    @property
    def due(self) -> int:
        """What the guests owe in all, service included, in cents."""
        return self.subtotal + self.total("serviceCharge")
