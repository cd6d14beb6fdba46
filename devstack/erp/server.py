"""Runs the simulated ERP until it is told to stop."""

import uvicorn

from devstack.erp.app import create_app
from devstack.erp.line import CuttableProtocol
from devstack.erp.settings import SimulatorSettings

_STOP_SECONDS = 5


def serve(host: str, port: int, settings: SimulatorSettings) -> None:
    """Serve on `host:port` until SIGINT or SIGTERM; blocks. Requests are not logged.

    Args:
        host: Address to listen on.
        port: Port.
        settings: How the simulated chain behaves.

    Raises:
        SystemExit: the address cannot be bound.
    """
    uvicorn.run(
        create_app(settings),
        host=host,
        port=port,
        access_log=False,
        log_level="warning",
        http=CuttableProtocol,
        ws="none",
        timeout_graceful_shutdown=_STOP_SECONDS,
    )
