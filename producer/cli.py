"""The producer's command line: arguments in, exit code out.

Exit codes: 0 everything is in the lake; 1 something is missing and was named; 2 nothing was
sent, because an argument or a setting is unusable; 130 interrupted.
"""

import asyncio
import signal
import sys
import time
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from producer import app as application
from producer import report
from producer.errors import ConfigurationError, ProducerError
from producer.files import check_prefix, find_files, plan_shipments
from producer.logs import configure_logs
from producer.progress import shown_progress
from producer.pull import make_plan
from producer.settings import Settings, load_settings
from producer.tally import Tally
from schemas.keys import ERP_PREFIX
from schemas.sources import ENDPOINTS_BY_NAME

cli = typer.Typer(
    help="Pull ERP answers, and upload ERP exports, into the data lake.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

AsJson = Annotated[bool, typer.Option("--json", help="Print the summary as JSON on stdout.")]


@cli.callback()
def _producer() -> None:
    """Pull ERP answers, and upload ERP exports, into the data lake."""


@cli.command("pull")
def pull_command(
    *,
    first_day: Annotated[
        datetime,
        typer.Option("--from", formats=["%Y-%m-%d"], metavar="DAY", help="First business date."),
    ],
    last_day: Annotated[
        datetime | None,
        typer.Option(
            "--to",
            formats=["%Y-%m-%d"],
            metavar="DAY",
            help="Last business date, included; the day of --from if left out.",
        ),
    ] = None,
    store: Annotated[
        list[str] | None,
        typer.Option(metavar="ID", help="Store id; repeatable; STORES if left out."),
    ] = None,
    endpoint: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help=f"One of {', '.join(ENDPOINTS_BY_NAME)}; repeatable; all if left out.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Store one ERP answer per store, business date and endpoint under raw/, as it came."""
    with _usage_errors():
        settings = _settings()
        plan = make_plan(
            first_day.date(),
            (last_day or first_day).date(),
            tuple(store or settings.stores),
            tuple(endpoint or ()),
        )
    about = {
        "command": "pull",
        "from": plan.first_day.isoformat(),
        "to": plan.last_day.isoformat(),
        "stores": plan.stores,
        "endpoints": [chosen.name for chosen in plan.endpoints],
    }
    _run(
        lambda tally: application.run_pull(settings, plan, tally),
        Tally(plan.cell_count),
        about,
        as_json=as_json,
    )


@cli.command("upload")
def upload_command(
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE", help="Files, or folders with *.json and *.json.gz at any depth."
        ),
    ],
    *,
    to: Annotated[
        str, typer.Option(metavar="PREFIX", help="Where in the lake; starts with raw/.")
    ] = ERP_PREFIX,
    check: Annotated[
        bool, typer.Option("--check/--no-check", help="Refuse files that are not JSON.")
    ] = True,
    as_json: AsJson = False,
) -> None:
    """Put ERP exports into the lake, as they are, under their own names."""
    with _usage_errors():
        settings = _settings()
        shipments = plan_shipments(find_files(files), check_prefix(to))
    _run(
        lambda tally: application.run_upload(settings, shipments, tally, check=check),
        Tally(len(shipments)),
        {"command": "upload", "to": check_prefix(to)},
        as_json=as_json,
    )


@contextmanager
def _usage_errors() -> Iterator[None]:
    """End the program with exit code 2 and a message, before anything is sent."""
    try:
        yield
    except ConfigurationError as exc:
        report.print_error(str(exc))
        raise typer.Exit(report.EXIT_USAGE) from exc


def _settings() -> Settings:
    settings = load_settings()
    configure_logs(settings.producer_log_level)
    return settings


def _run(
    work: Callable[[Tally], Coroutine[Any, Any, None]],
    tally: Tally,
    about: Mapping[str, Any],
    *,
    as_json: bool,
) -> NoReturn:
    """Do the work, say what came of it, and exit with the code that says so."""
    started = time.monotonic()
    interrupted = False
    try:
        with shown_progress(about["command"], tally):
            asyncio.run(work(tally))
    except KeyboardInterrupt:
        interrupted = True
    except ProducerError as exc:
        # Only opening the connections raises; what happens later is counted in the tally.
        report.print_error(str(exc))
        raise typer.Exit(report.EXIT_USAGE) from exc
    seconds = time.monotonic() - started
    if as_json:
        typer.echo(report.summary(tally, about, seconds=seconds, interrupted=interrupted))
    else:
        report.print_report(tally, seconds=seconds, interrupted=interrupted, to=sys.stdout)
    raise typer.Exit(report.exit_code(tally, interrupted=interrupted))


def main() -> None:
    """Run the command line; the console script and `python -m producer` end up here."""
    # A container is stopped with SIGTERM; asyncio knows how to end on SIGINT, unless a shell
    # that starts programs in the background has had it ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    try:
        cli()
    except KeyboardInterrupt:
        # Before there was anything to interrupt: start-up, reading the folders.
        raise SystemExit(report.EXIT_INTERRUPTED) from None
