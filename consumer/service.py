"""`consumer run`: the daemon at a terminal or under a supervisor, and its summary."""

import asyncio
from time import monotonic
from typing import Annotated

import typer

from consumer import app as application
from consumer.settings import ConsumerSettings
from consumer.supervision.progress import Counts
from runtime import terminal
from runtime.logs import configure_logs


def run(
    until_idle: Annotated[
        float | None,
        typer.Option(
            min=0.1,
            metavar="SECONDS",
            help="Exit once the queue has been empty this long. Default: run until stopped.",
        ),
    ] = None,
) -> None:
    """Consume the queue until SIGTERM or SIGINT."""
    settings = terminal.settings_of(ConsumerSettings)
    configure_logs(settings.log_level, settings.log_format)
    before, started = Counts.now(), monotonic()
    try:
        with terminal.reported_errors():
            asyncio.run(application.run(settings, until_idle))
    finally:
        done, seconds = Counts.now().since(before), round(monotonic() - started, 1)
        if until_idle is not None and not done.is_nothing:
            amounts = {"rows": done.rows, "megabytes": done.megabytes, "seconds": seconds}
            terminal.print_table(("objects", "count"), {**done.objects, **amounts}.items())
