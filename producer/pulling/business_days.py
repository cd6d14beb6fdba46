"""When a business day is over at the stores, and when its answers are final."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from producer.settings import Settings


@dataclass(frozen=True, slots=True)
class BusinessDays:
    """The stores' calendar.

    Attributes:
        utc_offset: How far the stores' clocks are ahead of UTC.
        end_hour: Hour, store time, at which the next business day begins.
        correction_days: Days after its end on which a day may still be corrected.
        resume_within: Age up to which an answer that may still be corrected is not asked for again.
    """

    utc_offset: timedelta
    end_hour: int
    correction_days: int
    resume_within: timedelta

    def day_of(self, moment: datetime) -> date:
        """Return the current business date at an aware time."""
        return (moment + self.utc_offset - timedelta(hours=self.end_hour)).date()

    def is_current(self, pulled_at: datetime, bus_dt: date, now: datetime) -> bool:
        """Return whether an answer in the lake need not be asked for again.

        Never one that was pulled before its day was over. A later one if corrections were no
        longer possible, or if it is fresh, so that an interrupted run resumes where it stopped.
        """
        pulled_at = min(pulled_at, now)
        if self.day_of(pulled_at) <= bus_dt:
            return False
        if self.day_of(pulled_at) - timedelta(days=self.correction_days) > bus_dt:
            return True
        return now - pulled_at < self.resume_within


def business_days(settings: Settings) -> BusinessDays:
    """Return the calendar of the settings."""
    return BusinessDays(
        timedelta(hours=settings.store_utc_offset_hours),
        settings.business_day_end_hour,
        settings.pull_correction_days,
        timedelta(seconds=settings.pull_resume_within_seconds),
    )
