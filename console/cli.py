"""The command line of `console`.

Exit codes: 0 stopped; 1 it could not start; 2 an argument or a setting is unusable.
"""

import typer
import uvicorn

from console.app import build
from console.settings import ConsoleSettings
from runtime.program import program
from runtime.terminal import settings_of

cli = program("console", "Show in the browser what arrived, what failed and what changed.")


@cli.command()
def serve() -> None:
    """Serve the pages until told to stop."""
    settings = settings_of(ConsoleSettings)
    typer.echo(f"http://{settings.console_host}:{settings.console_port}/", err=True)
    uvicorn.run(
        build(settings), host=settings.console_host, port=settings.console_port, log_config=None
    )
