"""What the `dlq` commands say they did: a line or a table for people, JSON for machines."""

import sys
from collections import Counter
from collections.abc import Sequence

import typer

from consumer.operate.dlq.dead_letters import DeadLetter
from consumer.operate.dlq.replay_results import WAITING, Replayed
from runtime.terminal import print_json, print_table
from schemas.codes import State

_UNWELL = (WAITING, State.DEAD_LETTERED)


def print_letters(found: Sequence[DeadLetter]) -> None:
    """Print dead letters as a table: three columns for people, six for programs."""
    rows = [_row(letter) for letter in found]
    if not found:
        typer.echo("nothing is parked")
    elif sys.stdout.isatty():
        stacked = [
            (f"{identity}\n{since}", code, "\n".join(filter(None, what)))
            for identity, since, code, *what in rows
        ]
        print_table(("id", "code", "object, reason, error log"), stacked)
    else:
        print_table(("id", "since", "code", "object", "reason", "error log"), rows)


def _row(letter: DeadLetter) -> tuple[str, ...]:
    code = f"{letter.error_code} (redriven)" if letter.redriven else letter.error_code
    since = letter.parked_at.isoformat(timespec="seconds") if letter.parked_at else ""
    what = (letter.object_key, letter.error_message, letter.error_log_key)
    return (letter.id, since, code, *(text or "" for text in what))


def print_summary(what: str, found: Sequence[DeadLetter], *, as_json: bool) -> None:
    """Print what was done to which messages."""
    if as_json:
        print_json({"messages": [letter.as_json() for letter in found]})
    else:
        typer.echo(f"{what} {counted(found)}")


def counted(found: Sequence[DeadLetter]) -> str:
    """Count messages by their code, in words."""
    by_code = Counter(letter.error_code for letter in found)
    reasons = ", ".join(f"{count} {code}" for code, count in by_code.most_common())
    return f"{len(found)} messages" + (f": {reasons}" if reasons else "")


def print_ends(moved: Sequence[Replayed], *, as_json: bool) -> None:
    """Print what became of replayed messages, those that need somebody one by one."""
    if as_json:
        print_json({"messages": [one.as_json() for one in moved]})
        return
    by_outcome = Counter(one.outcome for one in moved)
    outcomes = ", ".join(f"{count} {outcome}" for outcome, count in by_outcome.most_common())
    typer.echo(f"replayed {len(moved)} messages" + (f": {outcomes}" if outcomes else ""))
    unwell = [
        (one.letter.id, end.outcome, end.error_code, end.object_key, end.error_log_key)
        for one in moved
        for end in one.endings
        if end.outcome in _UNWELL
    ]
    if unwell:
        print_table(("id", "outcome", "code", "object", "error log"), unwell)


def all_went_well(moved: Sequence[Replayed]) -> bool:
    """Say whether no replayed message was parked again or has not ended yet."""
    return not any(one.outcome in _UNWELL for one in moved)
