"""Values that are already what a contract makes of them, looked at many at once.

Integers must fit 64 bits, times and dates must exist. Whatever is not plain is for the contract to
judge.
"""

from array import array
from collections.abc import Callable
from datetime import date, datetime
from typing import Any

_TIME_CHARACTERS = len("2024-01-31T13:45:00")  # without fraction and offset
_MAX_KNOWN_TEXTS = 50_000


def fit_64_bits(numbers: tuple[Any, ...]) -> bool:
    """Say whether all of these are integers, none of them written as 5.0, of at most 64 bits."""
    try:
        array("q", numbers)
    except (OverflowError, TypeError):
        return False
    return True


class _KnownTexts:
    """Texts that were found good, so that each is looked at once."""

    def __init__(self, is_good: Callable[[str], bool]) -> None:
        self._is_good = is_good
        self._known: set[str] = set()

    def all_good(self, texts: tuple[str, ...]) -> bool:
        return self._known.issuperset(texts) or all(map(self._look_at, texts))

    def _look_at(self, text: str) -> bool:
        if not self._is_good(text):
            return False
        if len(self._known) >= _MAX_KNOWN_TEXTS:
            self._known.clear()
        self._known.add(text)
        return True


def _is_time(text: str) -> bool:
    if len(text) != _TIME_CHARACTERS:
        return False
    try:
        return datetime.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _is_date(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


# Each takes texts and says whether all are as ISO 8601 writes them, and exist.
are_times = _KnownTexts(_is_time).all_good
are_dates = _KnownTexts(_is_date).all_good
