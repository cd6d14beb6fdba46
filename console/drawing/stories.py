"""A store-day's story as a table: what each document said, and what changed with it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from consumer.operate.history.chapters import Change, Chapter

_LARGEST = 8  # changes shown of one document


@dataclass(frozen=True, slots=True)
class Told:
    """A document, and what the tables said once it was loaded."""

    chapter: Chapter
    net_change: Decimal | None  # None: as before, or nothing was before
    changes: tuple[tuple[str, Change], ...]
    more: int  # changes that are not shown


def story(chapters: Iterable[Chapter]) -> list[Told]:
    """Number a story's documents; what the first of them says is no change."""
    told: list[Told] = []
    before: Decimal | None = None
    for chapter in chapters:
        changes: Sequence[tuple[str, Change]] = () if before is None else chapter.changes
        difference = None if before is None or before == chapter.net else chapter.net - before
        shown = tuple(changes[:_LARGEST])
        told.append(Told(chapter, difference, shown, len(changes) - len(shown)))
        before = chapter.net
    return told
