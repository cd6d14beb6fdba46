"""What the commands share: refusing bad usage, running, and reporting."""

import asyncio
import sys
import time
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager
from typing import Annotated, Any, NoReturn

import typer

from producer.commands import report
from producer.commands.progress import shown_progress
from producer.errors import ProducerError, SettingsInvalid
from producer.logs import configure_logs
from producer.settings import Settings, load_settings
from producer.tally import Tally

AsJson = Annotated[bool, typer.Option("--json", help="Print the summary as JSON on stdout.")]


@contextmanager
def usage_errors() -> Iterator[None]:
    """End the program with exit code 2 and a message, before anything is sent."""
    try:
        yield
    except SettingsInvalid as error:
        report.print_error(str(error))
        raise typer.Exit(report.EXIT_USAGE) from error


def settings_of_the_environment() -> Settings:
    """Read the settings and set up the logs as they say.

    Raises:
        SettingsInvalid: A setting is missing or unusable.
    """
    settings = load_settings()
    configure_logs(settings.producer_log_level)
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
        with shown_progress(about["command"], tally):
            asyncio.run(work(tally))
    except KeyboardInterrupt:
        interrupted = True
    except ProducerError as error:
        # Only opening connections raises; later failures are counted in the tally.
        report.print_error(str(error))
        raise typer.Exit(report.EXIT_USAGE) from error
    seconds = time.monotonic() - started
    if as_json:
        typer.echo(report.summary(tally, about, seconds=seconds, interrupted=interrupted))
    else:
        verb = about.get("verb", "stored")
        report.print_report(
            tally, seconds=seconds, interrupted=interrupted, to=sys.stdout, verb=verb
        )
    raise typer.Exit(report.exit_code(tally, interrupted=interrupted))
