"""What the `dlq` commands print: a line or a table for people, JSON for machines."""

import sys
from collections import Counter
from collections.abc import Sequence

import typer

from consumer.operate.dlq.dead_letters import DeadLetter
from consumer.operate.dlq.replay_results import WAITING, ReplayResult
from runtime.terminal import print_json, print_table
from schemas.codes import State

_UNWELL = (WAITING, State.DEAD_LETTERED)


def print_dead_letters(found: Sequence[DeadLetter]) -> None:
    """Print dead letters as a table: three columns for people, six for programs."""
    rows = [_row(dead_letter) for dead_letter in found]
    if not found:
        typer.echo("the dead-letter queue is empty")
    elif sys.stdout.isatty():
        stacked = [
            (f"{identity}\n{since}", code, "\n".join(filter(None, what)))
            for identity, since, code, *what in rows
        ]
        print_table(("id", "code", "object, reason, error log"), stacked)
    else:
        print_table(("id", "since", "code", "object", "reason", "error log"), rows)


def _row(dead_letter: DeadLetter) -> tuple[str, ...]:
    code: str = dead_letter.error_code
    since = dead_letter.dead_lettered_at
    what = (dead_letter.object_key, dead_letter.error_message, dead_letter.error_log_key)
    return (
        dead_letter.id,
        since.isoformat(timespec="seconds") if since else "",
        f"{code} (redriven)" if dead_letter.redriven else code,
        *(text or "" for text in what),
    )


def print_summary(what: str, found: Sequence[DeadLetter], *, as_json: bool) -> None:
    """Print what was done to which messages."""
    if as_json:
        print_json({"messages": [dead_letter.as_json() for dead_letter in found]})
    else:
        typer.echo(f"{what} {counted(found)}")


def counted(found: Sequence[DeadLetter]) -> str:
    """Return how many messages there are, by error code."""
    by_code = Counter(dead_letter.error_code for dead_letter in found)
    reasons = ", ".join(f"{count} {code}" for code, count in by_code.most_common())
    return f"{len(found)} messages" + (f": {reasons}" if reasons else "")


def print_replay_results(results: Sequence[ReplayResult], *, as_json: bool) -> None:
    """Print what became of replayed messages, and one line for each that needs attention."""
    if as_json:
        print_json({"messages": [one.as_json() for one in results]})
        return
    by_result = Counter(one.result for one in results)
    counts = ", ".join(f"{count} {result}" for result, count in by_result.most_common())
    typer.echo(f"replayed {len(results)} messages" + (f": {counts}" if counts else ""))
    unwell = [
        (one.dead_letter.id, end.result, end.error_code, end.object_key, end.error_log_key)
        for one in results
        for end in one.objects
        if end.result in _UNWELL
    ]
    if unwell:
        print_table(("id", "result", "code", "object", "error log"), unwell)


def all_went_well(results: Sequence[ReplayResult]) -> bool:
    """Say whether every replayed message has ended, and none was dead-lettered again."""
    return not any(one.result in _UNWELL for one in results)
