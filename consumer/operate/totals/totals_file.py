"""Reads a CSV of totals: a store, a business date, and what a source of truth says of them.

The first line names the columns, in any order: store, day, and at least one of net, tax and checks;
others are passed over. Numbers have a decimal point. Read row by row, however long the file is.
"""

import csv
import re
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import IO, NamedTuple

from runtime.errors import ReportedError

AMOUNTS = ("net", "tax", "checks")
_KEY = ("store", "day")
_NUMBER = re.compile(r"[+-]?\d{1,28}(\.\d{1,10})?", re.ASCII)
_COUNT = re.compile(r"\d{1,15}", re.ASCII)
_SEPARATORS = ",;\t"
_NO_CSV = {
    b"PK\x03\x04": "a spreadsheet or a ZIP archive",
    b"\xd0\xcf\x11\xe0": "a spreadsheet",
    b"\x1f\x8b": "packed with gzip",
    b"\xff\xfe": "UTF-16",
    b"\xfe\xff": "UTF-16",
}


class TotalsUnusable(ReportedError):
    """The file cannot be read as totals; the message names line, column and remedy."""


class Total(NamedTuple):
    """A line of the file; what a cell does not tell is None."""

    line: int
    store: str
    day: date
    net: Decimal | None
    tax: Decimal | None
    checks: Decimal | None


def read_totals(path: Path) -> Iterator[Total]:
    """Yield the file's lines.

    Raises:
        TotalsUnusable: it is no such CSV, has no rows, or cannot be opened.
    """
    try:
        with path.open("rb") as file:
            start = file.read(4)
        kind = next((kind for mark, kind in _NO_CSV.items() if start.startswith(mark)), None)
        if kind:
            raise TotalsUnusable(f"{path} is {kind}: save it as CSV in UTF-8")
        with path.open(encoding="utf-8-sig", newline="") as file:
            yield from _rows(path, file)
    except OSError as error:
        raise TotalsUnusable(f"cannot read {path}: {error.strerror}") from error


def _rows(path: Path, file: IO[str]) -> Iterator[Total]:
    line, is_empty = 1, True
    try:
        head = file.readline(10_000)
        columns, separator = _columns(path, head)
        reader = csv.reader(file, delimiter=separator, strict=True)
        for cells in reader:
            line, is_empty = reader.line_num + 1, False
            if any(cell.strip() for cell in cells):
                yield _total(path, line, columns, cells)
    except UnicodeDecodeError as error:
        raise TotalsUnusable(f"{path} is not UTF-8 near line {line + 1}: save it so") from error
    except csv.Error as error:
        raise TotalsUnusable(f"{path}, line {line + 1}: {error}") from error
    if is_empty:
        raise TotalsUnusable(f"{path} has no rows below its header")


def _columns(path: Path, head: str) -> tuple[list[str], str]:
    if not head.strip():
        raise TotalsUnusable(f"{path} is empty: its first line names the columns")
    separator = max(_SEPARATORS, key=head.count)
    columns = [name.strip().strip('"').strip().lower() for name in head.split(separator)]
    told = f"{path}, line 1: columns are {', '.join(columns)[:200]!r}"
    missing = [name for name in _KEY if name not in columns]
    if missing or not set(AMOUNTS) & set(columns):
        wanted = "store, day and at least one of net, tax, checks"
        raise TotalsUnusable(f"{told}; it names {wanted}, separated by , ; or tabs")
    twice = [name for name in (*_KEY, *AMOUNTS) if columns.count(name) > 1]
    if twice:
        raise TotalsUnusable(f"{told}; {twice[0]} comes twice")
    return columns, separator


def _total(path: Path, line: int, columns: list[str], cells: list[str]) -> Total:
    if len(cells) != len(columns):
        raise TotalsUnusable(
            f"{path}, line {line}: {len(cells)} cells, but {len(columns)} columns; numbers have a "
            "decimal point and nothing between thousands"
        )
    found = {name: cell.strip() for name, cell in zip(columns, cells, strict=True)}
    if not found["store"]:
        raise _bad(path, line, "store", "", "the store is missing")
    try:
        day = date.fromisoformat(found["day"])
    except ValueError:
        raise _bad(path, line, "day", found["day"], "write it like 2024-03-31") from None
    amounts = {name: _number(path, line, name, found.get(name, "")) for name in AMOUNTS}
    return Total(line, found["store"], day, **amounts)


def _number(path: Path, line: int, name: str, text: str) -> Decimal | None:
    if not text:
        return None
    if name == "checks":
        if not _COUNT.fullmatch(text):
            raise _bad(path, line, name, text, "a whole number is expected")
    elif not _NUMBER.fullmatch(text):
        raise _bad(path, line, name, text, "write it like 1234.50")
    return Decimal(text)


def _bad(path: Path, line: int, column: str, text: str, remedy: str) -> TotalsUnusable:
    return TotalsUnusable(f"{path}, line {line}, column {column}: {text[:40]!r}; {remedy}")
