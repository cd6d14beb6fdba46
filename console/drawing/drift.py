"""Drift in rows: each with its fill by week; a rename has both of its names in one."""

import re
import tomllib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from console.data.database import Row
from consumer.drift.findings import MISSING, RENAMED

WIDTH, HEIGHT, STEP = 132, 26, 11
_ALIAS = re.compile(r"(?P<section>\[[^\]]+\]) (?P<line>\".*\" = \[.*\])$")

_Field = tuple[str, str]
Weeks = Mapping[_Field, Mapping[date, tuple[int, int]]]


@dataclass(frozen=True, slots=True)
class Fill:
    """A field, and a bar a week for the share of its records that fill it."""

    path: str
    drawn: str  # path of bars
    told: str  # the same in words


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that changed upstream."""

    row: Row
    fills: tuple[Fill, ...]  # of a rename the old name's, then the new one's
    alias: str | None  # lines for the alias file that mend a rename


def findings(rows: Iterable[Row], weeks: Iterable[Row]) -> list[Finding]:
    """Arrange rows of `consumer drift`; a renamed field is not shown as missing as well."""
    filled: defaultdict[_Field, dict[date, tuple[int, int]]] = defaultdict(dict)
    for week in weeks:
        filled[week["source"], week["path"]][week["week"]] = week["records"], week["filled"]
    all_weeks = sorted({week for of_field in filled.values() for week in of_field})
    rows = list(rows)
    old_names = {
        (row["source"], old) for row in rows if row["kind"] == RENAMED and (old := old_path(row))
    }
    found = []
    for row in rows:
        if row["kind"] == MISSING and (row["source"], row["path"]) in old_names:
            continue
        old = old_path(row) if row["kind"] == RENAMED else None
        paths = (old, row["path"]) if old else (row["path"],)
        fills = tuple(_fill(row["source"], path, filled, all_weeks) for path in paths)
        found.append(Finding(row, fills, alias(row) if row["kind"] == RENAMED else None))
    return found


def alias(row: Row) -> str | None:
    """Return the two lines that an alias file needs, if the row tells them."""
    told = _ALIAS.search(row["detail"] or "")
    return f"{told['section']}\n{told['line']}" if told else None


def old_path(row: Row) -> str | None:
    """Return the path under which a renamed field is known."""
    told = _ALIAS.search(row["detail"] or "")
    try:
        return next(iter(tomllib.loads(told["line"]))) if told else None
    except tomllib.TOMLDecodeError:
        return None


def _fill(source: str, path: str, filled: Weeks, weeks: Sequence[date]) -> Fill:
    shares = []
    for week in weeks:
        records, count = filled.get((source, path), {}).get(week, (0, 0))
        shares.append(min(1.0, count / records) if records else 0.0)
    bars = "".join(
        f"M{place * STEP} {HEIGHT}v-{max(1, round(share * HEIGHT))}h{STEP - 2}V{HEIGHT}z"
        for place, share in enumerate(shares)
        if share
    )
    ends = f"{shares[0]:.0%} to {shares[-1]:.0%} filled" if shares else ""
    return Fill(path, bars, ends)
