"""What the commands share: settings, running, and reporting."""

import asyncio
import time
from collections.abc import Callable, Coroutine, Mapping
from typing import Annotated, Any, NoReturn

import typer

from producer.commands import report
from producer.settings import Settings
from producer.tally import Tally
from runtime.errors import EXIT_USAGE, ReportedError
from runtime.logs import configure_logs
from runtime.terminal import fail, progress, settings_of

AsJson = Annotated[bool, typer.Option("--json", help="Print the summary as JSON on stdout.")]


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
        typer.echo(report.summary(tally, about, seconds=seconds, interrupted=interrupted))
    else:
        verb = about.get("verb", "stored")
        report.print_report(tally, seconds=seconds, interrupted=interrupted, verb=verb)
    raise typer.Exit(report.exit_code(tally, interrupted=interrupted))
