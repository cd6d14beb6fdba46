"""The simulated ERP API as a child process of the stack."""

import http.client
import sys
from collections.abc import Mapping

from devstack.server import ServerSpec

TOKEN = "local-only"  # noqa: S105 - a placeholder that only the simulated API knows
_ASK_TIMEOUT_SECONDS = 2


def prepare(base_environment: Mapping[str, str], port: int) -> ServerSpec:
    """Say how to start the simulated API on `port`."""
    return ServerSpec(
        name="api",
        command=[sys.executable, "-m", "devstack", "api", "--port", str(port)],
        environment={**base_environment, **environment(port), "PYTHONUNBUFFERED": "1"},
        is_ready=lambda: answers_health(port),
        port=port,
    )


def answers_health(port: int) -> bool:
    """Say whether GET /healthz answers 200."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_ASK_TIMEOUT_SECONDS)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def environment(port: int) -> dict[str, str]:
    """Return the variables that lead the producer to this API."""
    return {"API_BASE_URL": f"http://127.0.0.1:{port}", "API_TOKEN": TOKEN}
