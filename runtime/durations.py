"""Durations as people write them: 90s, 15m, 1h30m, 400d."""

import re

from runtime.errors import SettingsInvalid

_UNIT_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_DURATION = re.compile(r"(?:\d+(?:\.\d+)?[smhd])+", re.ASCII)
_PART = re.compile(r"(\d+(?:\.\d+)?)([smhd])", re.ASCII)


def seconds_of(text: str) -> float:
    """Return the seconds of a duration such as `1h30m`; raises SettingsInvalid, also for zero."""
    written = text.strip().lower()
    if _DURATION.fullmatch(written):
        seconds = sum(float(part) * _UNIT_SECONDS[unit] for part, unit in _PART.findall(written))
        if seconds > 0:
            return seconds
    raise SettingsInvalid(f"{text!r} is not a duration; write it as 90s, 15m, 1h30m or 1d")
