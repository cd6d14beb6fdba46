"""Arguments that typer cannot read by itself: durations, and files of store ids."""

import re
from pathlib import Path

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


def read_stores(path: Path) -> tuple[str, ...]:
    """Read store ids from a UTF-8 text file, one a line. Blocks.

    Raises:
        SettingsInvalid: The file cannot be read, holds no store, or is a CSV table.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsInvalid(
            f"--stores-file cannot be read: {error}; correct its path, or save it as UTF-8"
        ) from error
    stores = tuple(line.strip() for line in lines if line.strip())
    if not stores:
        raise SettingsInvalid(f"--stores-file {path} holds no store; write one id a line")
    if path.suffix.lower() == ".csv" or _is_table(stores):
        raise SettingsInvalid(
            f"--stores-file {path} is a CSV table; write its store ids, one a line and without "
            "the heading, to a text file"
        )
    return stores


def _is_table(lines: tuple[str, ...]) -> bool:
    """Say whether every line has the same columns; a comma in one store's name is none."""
    counts = [{line.count(delimiter) for line in lines} for delimiter in ",;\t"]
    return len(lines) > 1 and any(len(count) == 1 and count != {0} for count in counts)
