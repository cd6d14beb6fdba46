"""The HTTP port of a program."""

import asyncio

import aiohttp
import pytest
from prometheus_client import CollectorRegistry, Counter

from runtime.http_server import PortTaken, health_pages, served


async def fine() -> None:
    """Find nothing wrong."""


async def test_the_pages_answer_what_the_checks_find(unused_tcp_port: int) -> None:
    problems: list[str | None] = ["no round has ended yet"]

    async def readyz() -> str | None:
        return problems[-1]

    registry = CollectorRegistry()
    Counter("rounds", "Rounds", registry=registry)
    app = health_pages(fine, readyz, registry)
    async with served(app, "127.0.0.1", unused_tcp_port), aiohttp.ClientSession() as client:

        async def page(path: str) -> tuple[int, str]:
            async with client.get(f"http://127.0.0.1:{unused_tcp_port}{path}") as answer:
                return answer.status, await answer.text()

        assert await page("/healthz") == (200, "ok\n")
        assert await page("/readyz") == (503, "no round has ended yet\n")
        problems.append(None)
        assert await page("/readyz") == (200, "ok\n")
        status, text = await page("/metrics")
        assert (status, "rounds_total 0.0" in text) == (200, True)


async def test_a_port_that_is_taken_is_named(unused_tcp_port: int) -> None:
    app = health_pages(fine, fine, CollectorRegistry())
    async with served(app, "127.0.0.1", unused_tcp_port):
        with pytest.raises(PortTaken, match=f"{unused_tcp_port} cannot be listened on"):
            async with served(app, "127.0.0.1", unused_tcp_port):
                pass


async def test_without_a_port_nothing_is_served() -> None:
    """Not even the address is looked at."""
    before = asyncio.all_tasks()
    async with served(health_pages(fine, fine, CollectorRegistry()), "256.0.0.1", None):
        assert asyncio.all_tasks() == before
