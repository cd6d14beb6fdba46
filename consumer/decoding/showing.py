"""How a value of a document and its place in it are shown to people, in at most a line."""

import reprlib
from decimal import Decimal
from typing import Any

VALUE_CHARACTERS = 120


class _Short(reprlib.Repr):
    def repr_Decimal(self, value: Decimal, _level: int) -> str:  # noqa: N802 - reprlib's own form
        return str(value)


_short = _Short()
_short.maxstring = _short.maxother = _short.maxlong = VALUE_CHARACTERS
_short.maxlevel = 2


def cut_short(value: Any, characters: int = VALUE_CHARACTERS) -> str:
    """Show a value in at most a line, whatever its size or depth."""
    return _short.repr(value)[:characters]


def dotted(location: tuple[str | int, ...]) -> str:
    """Write a pydantic error location as `detailLines[3].menuItem.miNum`."""
    path = ""
    for part in location:
        path += f"[{part}]" if isinstance(part, int) else f".{part}" if path else part
    return path
