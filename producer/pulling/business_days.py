"""When a business day is over at the stores, and when its answers are final."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from producer.settings import Settings


@dataclass(frozen=True, slots=True)
class BusinessDays:
    """The stores' calendar.

    Attributes:
        utc_offset: What the stores' clocks are ahead of UTC.
        end_hour: Hour, store time, at which the next business day begins.
        correction_days: Days during which a day that is over may still be corrected.
        resume_within: Age up to which an answer that may still be corrected is good enough.
    """

    utc_offset: timedelta
    end_hour: int
    correction_days: int
    resume_within: timedelta

    def day_of(self, moment: datetime) -> date:
        """Return the business date that runs at an aware moment."""
        return (moment + self.utc_offset - timedelta(hours=self.end_hour)).date()

    def is_current(self, pulled_at: datetime, bus_dt: date, now: datetime) -> bool:
        """Say whether an answer need not be asked for again.

        One that was pulled while its day was running never is. Later ones are when no
        correction was to be expected any more, or when they are fresh, so that an interrupted
        run goes on where it stopped.
        """
        pulled_at = min(pulled_at, now)
        if self.day_of(pulled_at) <= bus_dt:
            return False
        if self.day_of(pulled_at) - timedelta(days=self.correction_days) > bus_dt:
            return True
        return now - pulled_at < self.resume_within


def business_days(settings: Settings) -> BusinessDays:
    """Return the calendar that the settings describe."""
    return BusinessDays(
        timedelta(hours=settings.store_utc_offset_hours),
        settings.business_day_end_hour,
        settings.pull_correction_days,
        timedelta(seconds=settings.pull_resume_within_seconds),
    )
