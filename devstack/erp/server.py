"""Runs the simulated ERP until it is told to stop."""

from typing import Any

import uvicorn

from devstack.erp.app import create_app
from devstack.erp.line import CuttableProtocol
from devstack.erp.settings import SimulatorSettings

_STOP_SECONDS = 5


def serve(host: str, port: int, **settings: Any) -> None:
    """Serve on `host:port` until SIGINT or SIGTERM; blocks. Requests are not logged.

    Args:
        host: Address to listen on.
        port: Port.
        settings: What to set in place of the environment; what is None is left to it.

    Raises:
        SystemExit: the address cannot be bound.
    """
    given = {name: value for name, value in settings.items() if value is not None}
    uvicorn.run(
        create_app(SimulatorSettings(**given)),
        host=host,
        port=port,
        access_log=False,
        log_level="warning",
        http=CuttableProtocol,
        ws="none",
        timeout_graceful_shutdown=_STOP_SECONDS,
    )
