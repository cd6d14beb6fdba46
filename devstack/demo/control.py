"""Talking to the simulated ERP's control routes."""

import json
import urllib.request
from collections.abc import Mapping
from typing import Any

_TIMEOUT_SECONDS = 30


def control(
    environment: Mapping[str, str], path: str, method: str = "GET", body: object = None
) -> Any:
    """Send a request to `/_control/…` and return the answer, decoded. Blocks.

    Args:
        environment: Has API_BASE_URL and API_TOKEN.
        path: What follows `/_control/`, with its query.
        method: GET, POST or DELETE.
        body: Sent as JSON, unless it is None.

    Raises:
        OSError: The ERP does not answer, or refuses.
    """
    request = urllib.request.Request(  # noqa: S310 - our own API's address
        f"{environment['API_BASE_URL']}/_control/{path}",
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={
            "Authorization": f"Bearer {environment['API_TOKEN']}",
            "Content-Type": "application/json",
        },
    )
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=_TIMEOUT_SECONDS) as answer:
        return json.load(answer)
