"""The ERP itself: every answer is made here, and nowhere else.

`changes` renames and retypes what an answer shows, and the `door` in front of the application
lets requests fail; the generators below know nothing of either.
"""

from collections.abc import Iterator
from datetime import UTC, date
from typing import Any

import simplejson

from devstack.erp.changes import SchemaChanges
from devstack.erp.checks import guest_check
from devstack.erp.lists import LISTS
from devstack.erp.opening import Trade, answered_tickets
from devstack.erp.settings import SimulatorSettings
from devstack.erp.store_day import StoreDay, business_day
from devstack.erp.ticket import Json
from schemas.registry import Source


class Simulator:
    """A chain of restaurants at one revision.

    Attributes:
        settings: How it trades and answers now.
        revision: How many rounds of corrections have happened; `advance` adds one.
    """

    def __init__(self, settings: SimulatorSettings) -> None:
        self._at_the_start = settings
        self.revision = settings.revision
        self.behave()

    def behave(self, **values: Any) -> None:
        """Trade and answer as at the start from now on, but for these settings."""
        self.settings = self._at_the_start.model_copy(update=values)
        self._changes = SchemaChanges(self.settings)

    def advance(self) -> int:
        """Let one round of corrections happen and return the new revision."""
        self.revision += 1
        return self.revision

    def records(self, source: Source, store_id: str, day: date) -> Iterator[Json]:
        """Yield what happened on a store's day, one record at a time, whatever answers show."""
        store_day = StoreDay(self.settings.seed, store_id, day)
        trade = self._trade()
        if source is not Source.GUEST_CHECKS:
            yield from LISTS[source](store_day, trade)
            return
        for ticket in answered_tickets(store_day, trade):
            yield guest_check(ticket)

    def answer(self, source: Source, store_id: str, day: date) -> bytes:
        """Return the body of an answer: UTF-8 JSON, equal bytes for an equal request.

        Only `curUTC`, in answers of getGuestChecks, follows the clock. Memory holds the bytes
        and one record, never all records: a day may have 50,000 checks.
        """
        records = self.records(source, store_id, day)
        rows = [_dump(record) for record in self._changes.shown(source, day, records)]
        frame = [_dump(self._head(source, store_id, day))[:-1]]
        name = f',"{source.entry.list_field}":'.encode()
        if rows:
            frame += [name, b"[", b",".join(rows), b"]"]
        else:
            empty = StoreDay(self.settings.seed, store_id, day).dice(source.value).below(3)
            frame += (b"", name + b"null", name + b"[]")[empty : empty + 1]
        return b"".join([*frame, b"}"])

    def _head(self, source: Source, store_id: str, day: date) -> Json:
        if source is Source.GUEST_CHECKS:
            now = self.settings.now().astimezone(UTC)
            return {"curUTC": now.strftime("%Y-%m-%dT%H:%M:%S"), "locRef": store_id}
        return {"storeId": store_id, "busDt": day.isoformat()}

    def _trade(self) -> Trade:
        settings = self.settings
        return Trade(
            checks_per_day=settings.checks_per_day,
            closed_days_percent=settings.closed_days_percent,
            today=business_day(settings.now()),
            revision=self.revision,
        )


def _dump(value: Json) -> bytes:
    text = simplejson.dumps(value, use_decimal=True, ensure_ascii=False, separators=(",", ":"))
    return text.encode()
