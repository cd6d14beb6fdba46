"""Which checks explain a difference between two totals: those whose amounts sum to it.

Pure. Amounts of a check are signed: what the tables count is positive, what they do not count, but
somebody else may, is negative.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import combinations, islice

Amounts = tuple[Decimal, ...]

_LARGEST = 4
_LARGEST_OF_ONE_COLUMN = 2
_TRIES = 20_000
# Of what belongs together, all of it is tried before any choice from it.
_GROUPS = (
    ("open",),
    ("closed_later",),
    ("opened_before",),
    ("closed_later", "opened_before"),
    ("cancelled",),
    ("removed",),
)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A check that may be in one total and not in the other; `reason` says why it may."""

    check_id: int
    reason: str
    amounts: Amounts


@dataclass(frozen=True, slots=True)
class Explanation:
    """Checks that sum to a difference; not `is_only` if as many others do so too."""

    checks: tuple[Candidate, ...]
    is_only: bool = True


def explain(difference: Amounts, candidates: Sequence[Candidate]) -> Explanation | None:
    """Return the fewest checks whose amounts sum to the difference, in every column.

    Looks at whole groups first, then at up to four checks, or two where one column is all there is
    to go by: more sum to anything by chance. Gives up after 20,000 choices of each size.
    """
    for reasons in _GROUPS:
        group = tuple(one for one in candidates if one.reason in reasons)
        if {one.reason for one in group} == set(reasons) and _sum(group) == difference:
            return Explanation(group)
    largest = _LARGEST if len(difference) > 1 else _LARGEST_OF_ONE_COLUMN
    for size in range(1, largest + 1):
        if found := list(islice(_choices(difference, candidates, size), 2)):
            return Explanation(found[0], is_only=len(found) == 1)
    return None


def _choices(
    difference: Amounts, candidates: Sequence[Candidate], size: int
) -> Iterator[tuple[Candidate, ...]]:
    """Yield choices of a size that sum to the difference; the last of each is looked up."""
    places: dict[Amounts, list[int]] = {}
    for place, one in enumerate(candidates):
        places.setdefault(one.amounts, []).append(place)
    for chosen in islice(combinations(range(len(candidates)), size - 1), _TRIES):
        picked = tuple(candidates[place] for place in chosen)
        known = _sum(picked) or (Decimal(0),) * len(difference)
        rest = tuple(whole - part for whole, part in zip(difference, known, strict=True))
        for last in places.get(rest, ()):
            if not chosen or last > chosen[-1]:
                yield (*picked, candidates[last])


def _sum(checks: Sequence[Candidate]) -> Amounts:
    columns = zip(*(one.amounts for one in checks), strict=True)
    return tuple(sum(column, Decimal(0)) for column in columns)
