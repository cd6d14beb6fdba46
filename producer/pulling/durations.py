"""Durations as people write them."""

import re

from producer.errors import ConfigurationError

_UNIT_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_DURATION = re.compile(r"(?:\d+(?:\.\d+)?[smhd])+", re.ASCII)
_PART = re.compile(r"(\d+(?:\.\d+)?)([smhd])", re.ASCII)


def seconds_of(text: str) -> float:
    """Read `90s`, `15m`, `1h30m` or `1d`, in seconds.

    Raises:
        ConfigurationError: It is none of those, or nothing.
    """
    written = text.strip().lower()
    if _DURATION.fullmatch(written):
        seconds = sum(float(part) * _UNIT_SECONDS[unit] for part, unit in _PART.findall(written))
        if seconds > 0:
            return seconds
    raise ConfigurationError(f"{text!r} is no duration; write it as 90s, 15m, 1h30m or 1d")
