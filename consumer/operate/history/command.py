"""`consumer history`: why a store-day, or a check, says what it says."""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any

import typer

from consumer.operate.history.chapters import Chapter
from consumer.operate.history.story import Subject, tell
from consumer.settings import ConsumerSettings
from runtime.terminal import AsJson, fail, finish, print_json, print_table, settings_of

_LARGEST = 10
_DOCUMENTS = (
    *("no", "received", "as of", "outcome", "checks", "guests", "net", "tax", "net change"),
    "object",
)
_CHANGES = ("with", "check", "field", "before", "after")

Cells = tuple[Any, ...]


def history(
    *,
    store: Annotated[str, typer.Option(help="The store.")],
    day: Annotated[
        datetime, typer.Option(formats=["%Y-%m-%d"], help="The business date of its checks.")
    ],
    check_id: Annotated[
        int | None, typer.Option("--check", help="Only this check, field by field.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Tell what every document said of a store-day's checks, and what changed with each.

    Loads the lake's documents again, in the order in which they were received, into tables of its
    own session: also what the tables have forgotten. Sums leave out cancelled checks.
    """
    subject = Subject(store.strip(), day.date(), check_id)
    chapters = finish(tell(settings_of(ConsumerSettings), subject))
    if as_json:
        told = [asdict(one) for one in chapters]
        print_json({"store": subject.store, "day": subject.day, "documents": told})
    elif chapters:
        _print(chapters, is_check=check_id is not None)
    if not chapters:
        fail(f"no document speaks of it: store {subject.store!r}, {subject.day}")


def _print(chapters: list[Chapter], *, is_check: bool) -> None:
    documents: list[Cells] = []
    changes: list[Cells] = []
    notes: list[str] = []
    net = None
    for number, one in enumerate(chapters, 1):
        difference = None if net is None or net == one.net else f"{one.net - net:+}"
        received = one.received_at and f"{one.received_at:%Y-%m-%d %H:%M:%S}"
        as_of = one.as_of and f"{one.as_of:%Y-%m-%d %H:%M:%S}"
        sums = one.checks, one.guests, one.net, one.tax, difference
        documents.append((number, received or "never", as_of, one.outcome, *sums, one.object_key))
        net = one.net
        # What the first document says is no change.
        shown = one.changes if is_check else one.changes[:_LARGEST]
        for where, change in shown if number > 1 else ():
            changes.append((number, where, change.column, change.before, change.after))
        if len(one.changes) > len(shown) and number > 1:
            changes.append((number, f"and {len(one.changes) - len(shown)} more", "", "", ""))
        notes += _notes(number, one)
    print_table(_DOCUMENTS, documents)
    if changes:
        print_table(_CHANGES, changes, "What changed, the largest first")
    for note in notes:
        typer.echo(note)


def _notes(number: int, one: Chapter) -> list[str]:
    notes = [
        f"no {number} lost {count} check{'s' * (count > 1)} to {winner}"
        for winner, count in one.lost_to
    ]
    if one.patched:
        notes.append(f"no {number} told only some fields of {one.patched} checks")
    notes += [f"no {number} has a bad record: {_bad(record)}" for record in one.quarantined]
    if one.received_at is None:
        notes.append(f"no {number} was never announced: run consumer reconcile")
    return notes


def _bad(record: dict[str, Any]) -> str:
    return f"{record['path']} (id {record['id'] or 'unreadable'}): {record['code']}"
