"""When a business day is over at the stores, and when its answers are final."""

from datetime import date, datetime, timedelta

from producer.settings import Settings


class BusinessDays:
    """The stores' calendar."""

    def __init__(self, settings: Settings) -> None:
        self._behind_utc = timedelta(
            hours=settings.business_day_end_hour - settings.store_utc_offset_hours
        )
        self._correction_days = timedelta(days=settings.pull_correction_days)
        self._resume_within = timedelta(seconds=settings.pull_resume_within_seconds)

    def day_of(self, moment: datetime) -> date:
        """Return the current business date at an aware time."""
        return (moment - self._behind_utc).date()

    def is_current(self, pulled_at: datetime, bus_dt: date, now: datetime) -> bool:
        """Return whether an answer is final, or was pulled after its day and is fresh.

        Fresh ones are not asked for again, so that an interrupted run resumes where it stopped.
        """
        pulled_at = min(pulled_at, now)
        if self.day_of(pulled_at) <= bus_dt:
            return False
        if self.day_of(pulled_at) - self._correction_days > bus_dt:
            return True
        return now - pulled_at < self._resume_within
