"""`console serve`: the pages at a terminal or under a supervisor."""

import asyncio

from console import app
from console.settings import ConsoleSettings
from runtime.logs import configure_logs
from runtime.signals import leave_when_told
from runtime.terminal import reported_errors, settings_of, tell


def serve() -> None:
    """Serve the pages until SIGTERM or SIGINT."""
    leave_when_told()
    settings = settings_of(ConsoleSettings)
    configure_logs(settings.log_level, settings.log_format)
    with reported_errors():
        asyncio.run(app.run(settings, lambda url: tell(f"the console is at {url}")))
