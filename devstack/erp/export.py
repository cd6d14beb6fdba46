"""Writes the API's description: `python -m devstack.erp.export > docs/api/openapi.json`."""

import json
import sys

from devstack.erp.app import create_app
from devstack.erp.settings import SimulatorSettings


def openapi_text() -> str:
    """Return the OpenAPI document, as the repository keeps it; no setting changes it."""
    app = create_app(SimulatorSettings.model_construct())
    return json.dumps(app.openapi(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.stdout.write(openapi_text())
