"""When a business day is over at the stores, and when its answers are final."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta


@dataclass(frozen=True, slots=True)
class BusinessDays:
    """The stores' calendar."""

    utc_offset: timedelta  # how far the stores' clocks are ahead of UTC
    end_hour: int  # hour, store time, at which the next business day begins
    correction_days: int  # days after its end on which a day may still be corrected
    resume_within: timedelta  # age up to which an answer that may be corrected stays current

    def day_of(self, moment: datetime) -> date:
        """Return the current business date at an aware time."""
        return (moment + self.utc_offset - timedelta(hours=self.end_hour)).date()

    def is_current(self, pulled_at: datetime, bus_dt: date, now: datetime) -> bool:
        """Return whether an answer is final, or was pulled after its day and is fresh.

        Fresh ones are not asked for again, so that an interrupted run resumes where it stopped.
        """
        pulled_at = min(pulled_at, now)
        if self.day_of(pulled_at) <= bus_dt:
            return False
        if self.day_of(pulled_at) - timedelta(days=self.correction_days) > bus_dt:
            return True
        return now - pulled_at < self.resume_within
