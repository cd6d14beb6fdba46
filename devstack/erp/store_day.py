"""One store's business day: its dice, its identifiers and its two clocks.

A business day starts and ends at 04:00 local time. Times inside a day are whole seconds after
the local midnight with which its date begins, so a check closed at 02:00 the next morning has
a time above 24 hours and still belongs to the same day.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from devstack.erp.dice import Dice, key_of

HOUR = 3600
DAY_ENDS_SECONDS = 28 * HOUR
FIRST_DAY = date(2000, 1, 1)
LAST_DAY = date(2099, 12, 31)
MAX_CHECKS = 50_000

# São Paulo, without daylight saving time since 2019.
_UTC_AHEAD = timedelta(hours=3)
_IDS_PER_DAY = 60_000


@dataclass(frozen=True, slots=True)
class StoreDay:
    """What everything about one store on one business day is drawn from."""

    seed: int
    store: str
    day: date

    @property
    def previous(self) -> "StoreDay":
        """The same store the day before."""
        return StoreDay(self.seed, self.store, self.day - timedelta(days=1))

    def key(self, purpose: str) -> int:
        """Return the key of this day's dice for one purpose."""
        return key_of(self.seed, self.store, self.day, purpose)

    def dice(self, purpose: str) -> Dice:
        """Return fresh dice for one purpose; other purposes do not disturb them."""
        return Dice(self.key(purpose))

    def check_id(self, index: int) -> int:
        """Return the identifier of the day's check number `index`; unique within the store.

        Stores start anywhere between one and five thousand million, so some stores' ids fit
        into 32 bits and some do not, and two stores may use the same ids.
        """
        first = 1_000_000_000 + key_of(self.seed, self.store, "ids") % 4_000_000_000
        return first + (self.day - FIRST_DAY).days * _IDS_PER_DAY + index

    def lcl(self, seconds: int) -> str:
        """Write a time as the store's wall clock shows it."""
        return (_midnight(self.day) + timedelta(seconds=seconds)).isoformat()

    def utc(self, seconds: int) -> str:
        """Write a time in UTC, without a zone suffix."""
        return (_midnight(self.day) + timedelta(seconds=seconds) + _UTC_AHEAD).isoformat()

    def bus_dt(self, seconds: int) -> str:
        """Return the business date that a time belongs to."""
        days = (seconds - 4 * HOUR) // (24 * HOUR)
        return (self.day + timedelta(days=days)).isoformat()


def business_day(now: datetime) -> date:
    """Return the business date that is running at `now` (an aware datetime)."""
    local = now.astimezone(UTC) - _UTC_AHEAD
    return (local - timedelta(hours=4)).date()


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day)  # noqa: DTZ001 - the fields carry no zone
