"""The producer's command line: arguments in, exit code out.

Exit codes: 0 everything is in the lake; 1 something is missing, as reported; 2 an argument or a
setting is unusable, and nothing was sent; 130 interrupted.
"""

import signal
import sys

import typer

from producer.commands import report
from producer.commands.lake import init_lake_command, publish_command, upload_command
from producer.commands.pull import pull_command, run_command

cli = typer.Typer(
    help="Pull ERP answers and upload ERP exports into the data lake.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
cli.command("pull")(pull_command)
cli.command("run")(run_command)
cli.command("upload")(upload_command)
cli.command("publish")(publish_command)
cli.command("init-lake")(init_lake_command)


@cli.callback()
def _producer() -> None:
    """Pull ERP answers and upload ERP exports into the data lake."""


def main() -> None:
    """Run the command line, once `producer.__main__` has imported it."""
    if sys.argv[1:2] == ["run"]:
        # The daemon handles signals itself once it runs; before that there is nothing to finish.
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: sys.exit(report.EXIT_OK))
        cli()
    # A container is stopped with SIGTERM; asyncio ends in order on SIGINT, which shells make
    # programs in the background ignore.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    try:
        cli()
    except KeyboardInterrupt:
        # Before there was anything to interrupt: start-up, reading the folders.
        raise SystemExit(report.EXIT_INTERRUPTED) from None
