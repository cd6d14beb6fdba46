"""Versions from the future: a clock at the source that runs ahead.

For the guards no version counts as later than its object can have been written: one document of
2094 must not outrank all that come after it.
"""

from datetime import UTC, datetime, timedelta

VERSION_FIELD, AS_OF_FIELD = "lastUpdatedUTC", "curUTC"

_ALLOWANCE = timedelta(minutes=10)  # by which honest clocks may differ


def latest_credible(last_modified: datetime) -> datetime:
    """Return the latest version that an object of this LastModified can have."""
    return last_modified + _ALLOWANCE


class Horizon:
    """Tells the versions of one document that are later than it can have been written."""

    def __init__(self, last_modified: datetime) -> None:
        self._latest = latest_credible(last_modified)
        self._latest_text = self._latest.astimezone(UTC).replace(tzinfo=None).isoformat()

    def is_beyond(self, version: str | datetime | None) -> bool:
        """Say whether a version is from the future: a time, or its text in UTC without offset."""
        if isinstance(version, str):
            return version > self._latest_text
        if version is None:
            return False
        return version.replace(tzinfo=version.tzinfo or UTC) > self._latest
