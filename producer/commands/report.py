"""Running a command, and its report: a summary and a table for people, or JSON for programs."""

import asyncio
import json
import time
from collections.abc import Callable, Coroutine, Mapping
from typing import Annotated, Any, NoReturn

import typer

from producer.settings import Settings
from producer.tally import Tally
from runtime.errors import EXIT_FAILED, EXIT_INTERRUPTED, EXIT_OK, EXIT_USAGE, ReportedError
from runtime.logs import configure_logs
from runtime.terminal import fail, print_table, printable, progress, settings_of

AsJson = Annotated[bool, typer.Option("--json", help="Print the summary as JSON on stdout.")]
_ROWS_SHOWN_COUNT = 50


def settings_of_the_environment() -> Settings:
    """Read the settings and set up the logs as they say; exits when one is unusable."""
    settings = settings_of(Settings)
    configure_logs(settings.log_level, settings.log_format)
    return settings


def run(
    work: Callable[[Tally], Coroutine[Any, Any, None]],
    tally: Tally,
    about: Mapping[str, Any],
    *,
    as_json: bool,
) -> NoReturn:
    """Do the work, report it, and exit with its exit code."""
    started = time.monotonic()
    interrupted = False
    try:
        with progress(about["command"], tally.total) as advance:
            tally.on_change = lambda tally: advance(tally.done, tally.total, tally.failed)
            asyncio.run(work(tally))
    except KeyboardInterrupt:
        interrupted = True
    except ReportedError as error:
        # Only opening connections raises; later failures are counted in the tally.
        fail(str(error), EXIT_USAGE)
    seconds = time.monotonic() - started
    if as_json:
        typer.echo(summary(tally, about, seconds=seconds, interrupted=interrupted))
    else:
        verb = about.get("verb", "stored")
        print_report(tally, seconds=seconds, interrupted=interrupted, verb=verb)
    raise typer.Exit(exit_code(tally, interrupted=interrupted))


def exit_code(tally: Tally, *, interrupted: bool) -> int:
    """Return 0 only when nothing of the run is missing."""
    if interrupted:
        return EXIT_INTERRUPTED
    return EXIT_OK if tally.is_complete else EXIT_FAILED


def summary(tally: Tally, about: Mapping[str, Any], *, seconds: float, interrupted: bool) -> str:
    """Return a run as one JSON object; `failures` says what is missing and why."""
    return json.dumps(
        {
            **about,
            "total": tally.total,
            "stored": tally.stored,
            "unchanged": tally.unchanged,
            "present": tally.present,
            "failed": tally.failed,
            "skipped": dict(tally.skipped),
            "untried": tally.untried,
            "stored_bytes": tally.stored_bytes,
            "seconds": round(seconds, 3),
            "interrupted": interrupted,
            "stopped_by": tally.stopped_by,
            "failures": tally.failures,
            "failures_omitted": tally.failed - len(tally.failures),
        },
        ensure_ascii=False,
    )


def print_report(tally: Tally, *, seconds: float, interrupted: bool, verb: str = "stored") -> None:
    """Print the summary and what is missing; `verb` is what happened to objects stored."""
    if interrupted:
        typer.echo(f"Interrupted. What was {verb} stays; run the command again for the rest.")
    if tally.stopped_by is not None:
        typer.echo(printable(f"Stopped early: {tally.stopped_by}"))
    typer.echo(
        f"{tally.stored} of {tally.total} {verb} ({tally.stored_bytes:,} bytes) in "
        f"{seconds:.1f} s; {tally.unchanged} unchanged, {tally.present} already there, "
        f"{tally.failed} failed, {tally.skipped.total()} skipped, {tally.untried} not tried."
    )
    for breaker, count in tally.skipped.most_common(_ROWS_SHOWN_COUNT):
        told = f"{count} of {breaker} skipped: it kept failing; run the command again later."
        typer.echo(printable(told))
    if tally.present:
        typer.echo("What was already there was not asked for; --force asks for it again.")
    if tally.failures:
        _print_missing(tally)
    if tally.failed > _ROWS_SHOWN_COUNT:
        typer.echo(f"… and {tally.failed - _ROWS_SHOWN_COUNT} more; --json lists them.")


def _print_missing(tally: Tally) -> None:
    subject = [name for name in tally.failures[0] if name not in ("code", "message", "remedy")]
    columns = [name.replace("_", " ") for name in subject]
    rows = (
        (*(failure[name] for name in subject), f"{failure['code']}: {failure['message']}")
        for failure in tally.failures[:_ROWS_SHOWN_COUNT]
    )
    print_table((*columns, "why"), rows, title="Missing")
    for code, remedy in {each["code"]: each["remedy"] for each in tally.failures}.items():
        typer.echo(f"{code}: {remedy}")
