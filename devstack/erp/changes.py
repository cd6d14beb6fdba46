"""How the ERP's releases change its answers, each from a business day on.

Applied to what an answer shows, never to what happened: control totals stay what they are. The
published description knows `taxation` only; the rest is drift, and nobody announced it.
"""

from collections.abc import Callable, Iterable
from datetime import date
from decimal import Decimal

from devstack.erp.settings import SimulatorSettings
from devstack.erp.ticket import Json
from schemas.registry import Source

Change = Callable[[Json], Json]

VANISHED_OF_CHECK = "numChkPrntd"
VANISHED_OF_LINE = "seatNum"
_MEMBERS = 9973


class SchemaChanges:
    """The changes that one chain's settings announce."""

    def __init__(self, settings: SimulatorSettings) -> None:
        self._of_checks: tuple[tuple[date | None, Change], ...] = (
            (settings.taxation_from, _name_taxation),
            (settings.employee_from, _name_employee),
            (settings.new_fields_from, _add_to_check),
            (settings.quoted_from, _quote("subTtl")),
            (settings.vanished_from, _drop_from_check),
        )
        self._of_rows: tuple[tuple[date | None, Change], ...] = (
            (settings.new_fields_from, _add_to_row),
            (settings.quoted_from, _quote("amount", "openingBalance")),
        )

    def shown(self, source: Source, day: date, records: Iterable[Json]) -> Iterable[Json]:
        """Yield records as an answer for `day` shows them."""
        known = self._of_checks if source.holds_checks else self._of_rows
        changes = [change for since, change in known if since and day >= since]
        for record in records:
            shown = record
            for change in changes:
                shown = change(shown)
            yield shown


def _renamed(record: Json, old: str, new: str) -> Json:
    return {new if name == old else name: value for name, value in record.items()}


def _name_taxation(check: Json) -> Json:
    return _renamed(check, "taxes", "taxation")


def _name_employee(check: Json) -> Json:
    return _renamed(check, "empNum", "employeeNum")


def _add_to_check(check: Json) -> Json:
    added: Json = {"loyaltyNum": check["guestCheckId"] % _MEMBERS}
    if lines := check.get("detailLines"):
        added["detailLines"] = [line | {"kdsStation": line["rvcNum"] % 3} for line in lines]
    return check | added


def _add_to_row(row: Json) -> Json:
    return row | {"channel": "POS"}


def _quote(*names: str) -> Change:
    def change(record: Json) -> Json:
        quoted = {name: f"{Decimal(record[name]):f}" for name in names if name in record}
        return record | quoted

    return change


def _drop_from_check(check: Json) -> Json:
    kept = {name: value for name, value in check.items() if name != VANISHED_OF_CHECK}
    if lines := check.get("detailLines"):
        kept["detailLines"] = [
            {name: value for name, value in line.items() if name != VANISHED_OF_LINE}
            for line in lines
        ]
    return kept
