"""The `devstack` command: the outside world of the project on this machine.

Starts PostgreSQL, LocalStack and the simulated ERP API, and runs things beside them.
"""

import json
import os
import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from devstack import detached
from devstack.command import exit_on_terminate, run_command
from devstack.environment import command_environment, export_lines
from devstack.server import ServerFailedError
from devstack.stack import running_stack
from runtime.program import program, run_program

app = program("devstack", "Local PostgreSQL, LocalStack and a simulated ERP API, without Docker.")
_console = Console(stderr=True, highlight=False)


def _say_ready(server: str, seconds: float) -> None:
    _console.print(f"devstack: {server} ready after {seconds:.1f} s", style="dim")


@app.command()
def up() -> None:
    """Start the servers in the background and print the environment to export."""
    state = detached.up(Path.cwd(), _say_ready)
    if state.was_running:
        _console.print("devstack: already running; `devstack down` stops it")
    typer.echo(export_lines(state.environment))


@app.command()
def down() -> None:
    """Stop the servers that `up` started here; their data goes with them."""
    stopped = detached.down(Path.cwd())
    _console.print("devstack: stopped" if stopped else "devstack: nothing was running here")


@app.command()
def status(*, as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """Say what runs here; exit 1 when nothing does."""
    report = detached.status(Path.cwd())
    if as_json:
        typer.echo(json.dumps(report))
    elif not report["running"]:
        typer.echo("not running; `devstack up` starts it")
    else:
        typer.echo(f"running since {report['since']}, logs in {report['directory']}")
        for name, server in report["servers"].items():
            state = "up" if server["alive"] else "ENDED"
            typer.echo(f"  {name:<11} {state:<6} process {server['process']}")
    raise typer.Exit(0 if report["running"] else 1)


@app.command(context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
def run(
    command: Annotated[list[str], typer.Argument(metavar="-- CMD...", show_default=False)],
) -> None:
    """Run CMD beside fresh, empty servers; return its exit code."""
    with running_stack(_say_ready) as stack:
        end = run_command(stack, command, command_environment(os.environ, stack.environment))
    raise typer.Exit(end.code)


@app.command()
def api(
    port: Annotated[int, typer.Option(help="Port.", min=1, max=65535)] = 8000,
    host: Annotated[
        str, typer.Option(help="Address to listen on; in a container, 0.0.0.0.")
    ] = "127.0.0.1",
    faults: Annotated[
        float | None, typer.Option(help="Attempts that go wrong, in percent.", min=0, max=100)
    ] = None,
    taxation_from: Annotated[
        datetime | None,
        typer.Option(help="First day with `taxation` for `taxes`.", formats=["%Y-%m-%d"]),
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="NAME=VALUE",
            help="Any setting of the simulator, named as its ERP_SIM_NAME variable; repeatable.",
        ),
    ] = None,
) -> None:
    """Serve only the simulated ERP API, in the foreground; ERP_SIM_… variables set the rest."""
    exit_on_terminate(0)  # being told to stop is how a service ends well
    from devstack.erp.server import serve  # noqa: PLC0415 - the other commands start faster without
    from devstack.erp.settings import UnusableSettingError, settings_of  # noqa: PLC0415 - as above

    day = taxation_from.date() if taxation_from else None
    try:
        chosen = settings_of(settings or (), faults_percent=faults, taxation_from=day)
    except UnusableSettingError as error:
        raise typer.BadParameter(str(error)) from error
    serve(host, port, chosen)


@app.command()
def demo(
    *,
    keep: Annotated[
        bool, typer.Option(help="Leave the servers running at the end, until Ctrl-C.")
    ] = False,
) -> None:
    """Show the whole way of the data once, with a failure and its repair (about a minute)."""
    from devstack.demo.tour import take_tour  # noqa: PLC0415 - as above

    raise typer.Exit(take_tour(keep=keep))


def main() -> None:
    """Run the command line; Ctrl-C ends with 130, a server that fails to start with 1."""
    exit_on_terminate()
    try:
        run_program(app)
    except ServerFailedError as error:
        sys.stderr.write(f"devstack: {error}\n")
        sys.exit(1)
