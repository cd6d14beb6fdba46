"""What only many documents tell: fields that used to come and are missing, scalars renamed.

Inferred from counts by business date, not by arrival, so that a year loaded at once, in any order
and by several processes, ends with the same report as one loaded day by day. Knows no SQL.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from math import log
from typing import NamedTuple

from consumer.drift.findings import MISSING, RENAMED
from consumer.drift.renames import remedy, scalars_for
from schemas.registry import Source

ENOUGH_RECORDS = 20  # before which nothing is usual
_UNLIKELY = 1e-4
_HALF_YEAR = timedelta(days=180)

_Path = tuple[str, str]  # source and path


@dataclass(frozen=True, slots=True)
class Absence:
    """A week's documents without a field that was usual before, beside those before and since.

    `records_before` are of the half year before, `filled_before` of those filled the field, and
    `absent_before` were in documents without it; `…_since` are of the month from here on.
    """

    source: str
    path: str
    week: date
    first_day: date
    first_seen: datetime
    records: int
    records_before: int
    filled_before: int
    absent_before: int
    records_since: int
    absent_since: int
    absent_objects_since: int

    @property
    def is_unlikely(self) -> bool:
        """Say whether chance explains so many records in documents without the field.

        Expected is what came before, or what chance makes of documents of this size when a field
        is not always filled, whichever is more. The bound for the tail of a Poisson distribution
        (Chernoff) must be less than one in ten thousand.
        """
        empty_share = 1 - (self.filled_before + 1) / (self.records_before + 2)
        document_size = self.absent_since / self.absent_objects_since
        absent_share = (self.absent_before + 1) / (self.records_before + 2)
        expected: float = self.records_since * max(absent_share, empty_share**document_size)
        found = self.absent_since
        if found <= expected:
            return False
        return found * (1 + log(expected / found)) - expected < log(_UNLIKELY)


@dataclass(frozen=True, slots=True)
class Newcomer:
    """How often an unknown field, whose name is like a known one's, was filled in a week."""

    source: str
    path: str
    json_type: str
    week: date
    first_day: date
    first_seen: datetime
    filled: int


class Inferred(NamedTuple):
    """A finding that holds from a week on."""

    source: str
    path: str
    kind: str
    detail: str | None
    since: date


def infer(absences: Iterable[Absence], newcomers: Iterable[Newcomer]) -> list[Inferred]:
    """Say which fields are missing since when, and which have probably a new name.

    A field is missing if it was usual (filled in four of five, of at least twenty records of the
    half year before) and documents come without it that chance does not explain. It is also
    missing, however few the records, if a field that is new, like it in name and type, fills its
    place: then it is probably renamed.

    Args:
        absences: By source, path and week.
        newcomers: Likewise.
    """
    by_field: defaultdict[_Path, list[Absence]] = defaultdict(list)
    for absence in absences:
        by_field[absence.source, absence.path].append(absence)
    by_newcomer: defaultdict[_Path, list[Newcomer]] = defaultdict(list)
    for newcomer in newcomers:
        by_newcomer[newcomer.source, newcomer.path].append(newcomer)
    missing: dict[_Path, date] = {}
    for field, weeks in by_field.items():
        for absence in weeks:
            if absence.is_unlikely:
                missing.setdefault(field, absence.week)
    renamed = list(_renamed(by_field, by_newcomer, missing))
    gone = [Inferred(*field, MISSING, None, since) for field, since in missing.items()]
    return gone + renamed


def _renamed(
    by_field: Mapping[_Path, Sequence[Absence]],
    by_newcomer: Mapping[_Path, Sequence[Newcomer]],
    missing: dict[_Path, date],
) -> Iterator[Inferred]:
    """Pair newcomers with the fields whose place they fill, and enter those as missing."""
    for (source, path), weeks in by_newcomer.items():
        level, _, name = path.rpartition(".")
        for known in scalars_for(Source(source), level, name, weeks[-1].json_type):
            field = source, f"{level}.{known}" if level else known
            since = _replaced_since(by_field.get(field, ()), weeks)
            if since is not None:
                missing[field] = min(since, missing.get(field, since))
                line = remedy(Source(source), level, name, known)
                yield Inferred(source, path, RENAMED, line, since)
                break


def _replaced_since(absences: Sequence[Absence], newcomer: Sequence[Newcomer]) -> date | None:
    filled_in = {seen.week: seen for seen in newcomer}
    for absence in absences:
        seen = filled_in.get(absence.week)
        if seen is not None and _fills_place(absence, seen) and not _is_usual(absence, newcomer):
            return absence.week
    return None


def _fills_place(absence: Absence, seen: Newcomer) -> bool:
    """It comes instead of the other, at least half as often: not beside it."""
    expected = absence.records * absence.filled_before / absence.records_before
    return expected / 2 <= seen.filled <= absence.records


def _is_usual(absence: Absence, newcomer: Sequence[Newcomer]) -> bool:
    """It came before as well: then it is another field."""
    before = sum(
        seen.filled
        for seen in newcomer
        if absence.week - _HALF_YEAR <= seen.week
        and (seen.first_day, seen.first_seen) < (absence.first_day, absence.first_seen)
    )
    return before * 2 >= absence.records_before
