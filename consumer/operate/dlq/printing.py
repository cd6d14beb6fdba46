"""What the `consumer dlq` commands print of dead letters and of replays."""

from collections import Counter
from collections.abc import Iterable, Sequence

import typer

from consumer.operate.dlq.dead_letters import DeadLetter
from consumer.operate.dlq.replay_results import ReplayResult
from runtime.terminal import print_blocks, print_json, print_table


def print_dead_letters(found: Sequence[DeadLetter]) -> None:
    """Print dead letters: a line each for programs, a few for people."""
    if not found:
        typer.echo("the dead-letter queue is empty")
    else:
        columns = ("id", "since", "code", "object", "reason", "error log")
        print_blocks(columns, map(_row, found), _block)


def _block(cells: Sequence[str]) -> tuple[str, ...]:
    identity, since, code, *what = cells
    return f"{identity}  {since}  {code}", *filter(None, what)


def _row(one: DeadLetter) -> tuple[str, ...]:
    since = one.dead_lettered_at.isoformat(timespec="seconds") if one.dead_lettered_at else ""
    code = f"{one.error_code} (redriven)" if one.redriven else one.error_code
    return one.id, since, code, one.object_key, one.error_message, one.error_log_key


def print_summary(what: str, found: Sequence[DeadLetter], *, as_json: bool) -> None:
    """Print what was done to which messages."""
    if as_json:
        print_json({"messages": [dead_letter.shown() for dead_letter in found]})
    else:
        typer.echo(f"{what} {counted(dead_letter.error_code for dead_letter in found)}")


def counted(kinds: Iterable[str]) -> str:
    """Return how many messages there are in all, and of each kind."""
    counts = Counter(kinds)
    each = ", ".join(f"{count} {kind}" for kind, count in counts.most_common())
    return f"{counts.total()} messages" + (f": {each}" if each else "")


def print_replay_results(results: Sequence[ReplayResult], *, as_json: bool) -> None:
    """Print what became of replayed messages, and one line for each that needs attention."""
    if as_json:
        print_json({"messages": [one.shown() for one in results]})
        return
    typer.echo(f"replayed {counted(one.result for one in results)}")
    unwell = [
        (one.dead_letter.id, end.result, end.error_code, end.object_key, end.error_log_key)
        for one in results
        for end in one.objects
        if not end.is_well
    ]
    if unwell:
        print_table(("id", "result", "code", "object", "error log"), unwell)
