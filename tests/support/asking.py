"""Asking the fake ERP one question, and its usual answers."""

from collections.abc import Callable
from datetime import date

from aiohttp import web

from producer.erp.client import open_erp
from producer.pulling.answers import Answer
from producer.settings import Settings
from schemas.registry import ENDPOINTS

DAY = date(2024, 1, 1)
SettingsFor = Callable[..., Settings]


def ok() -> web.Response:
    """Give a document."""
    return web.Response(body=b'{"storeId":"1"}', content_type="application/json")


def status(code: int, **headers: str) -> Callable[[], web.Response]:
    """Give a problem with a status and headers."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda: web.json_response({"title": "No"}, status=code, headers=named)


def anything(_answer: Answer) -> None:
    """Let every answer pass."""


async def ask(
    settings: Settings, store_id: str = "1", check: Callable[[Answer], None] = anything
) -> Answer:
    """Ask for one answer until it passes or patience ends."""
    async with open_erp(settings) as erp:
        return await erp.ask(ENDPOINTS[0], store_id, DAY, check)
