"""Asking the fake ERP one question, and its usual answers."""

from collections.abc import Callable
from datetime import date

from aiohttp import web

from producer.erp.client import open_erp
from producer.pulling.answers import Answer
from producer.pulling.targets import PullTarget
from producer.settings import Settings
from schemas.registry import ENDPOINTS, Endpoint

DAY = date(2024, 1, 1)
SettingsFor = Callable[..., Settings]


def ok() -> web.Response:
    """Give a document."""
    return web.Response(body=b'{"rows":[]}', content_type="application/json")


def status(code: int, **headers: str) -> Callable[[], web.Response]:
    """Give a problem with a status and headers."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda: web.json_response({"title": "No"}, status=code, headers=named)


def about(store_id: str, endpoint: Endpoint = ENDPOINTS[0]) -> PullTarget:
    """Return what to ask for a store."""
    return PullTarget(endpoint, store_id, DAY)


async def ask(settings: Settings, endpoint: Endpoint = ENDPOINTS[0]) -> Answer:
    """Ask for one answer until it is accepted or attempts run out."""
    async with open_erp(settings) as erp:
        return await erp.ask(about("1", endpoint))
