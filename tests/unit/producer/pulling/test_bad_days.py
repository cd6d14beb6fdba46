"""A long range against an ERP that fails a fifth of all requests, in every way it knows."""

import asyncio
import json
import random
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from aiohttp import web

from producer.erp.client import open_erp
from producer.pulling.pull import PullOptions, pull
from producer.pulling.targets import make_plan
from producer.settings import Settings
from producer.tally import Tally
from schemas.keys import ApiKey, parse_key
from tests.support.producer_fakes import FakeErp, FakeLake

STORES = ("001", "99 CB CB", "São João", "A/B")
FIRST = date(2024, 1, 1)
LAST = FIRST + timedelta(days=49)
PER_SECOND = 400.0
FAILED_PART = 0.2
REQUESTS_PER_TOKEN = 100


def amount(question: str) -> int:
    """Return what the ERP booked for a question: its control total."""
    return random.Random(question).randrange(1_000_000)


class BadDays:
    """Decides each answer from the question and how often it was asked: same run, same days."""

    def __init__(self, token_file: Path) -> None:
        self.token_file = token_file
        self.token = ""
        self.change_token()
        self.times: Counter[str] = Counter()
        self.failures: Counter[str] = Counter()
        self.arrived: list[float] = []
        self.ways = (
            self.throttled, self.server_error, self.gateway_timeout, self.cut, self.truncated,
            self.web_page, self.problem, self.nothing, self.slow_and_cut,
        )  # fmt: skip

    async def respond(self, request: web.Request) -> web.StreamResponse:
        """Answer, four times out of five."""
        self.arrived.append(time.monotonic())
        if len(self.arrived) % REQUESTS_PER_TOKEN == 0:
            self.change_token()
        if request.headers["Authorization"] != f"Bearer {self.token}":
            self.failures["expired"] += 1
            return web.json_response({"title": "token expired"}, status=401)
        question = f"{request.path} {json.dumps(await request.json(), sort_keys=True)}"
        self.times[question] += 1
        dice = random.Random(f"{question} {self.times[question]}")
        if dice.random() >= FAILED_PART:
            return web.json_response(self.document(question))
        way = dice.choice(self.ways)
        self.failures[way.__name__] += 1
        return await way(request, question)

    def change_token(self) -> None:
        """Let the old token expire, and have somebody write the new one."""
        self.token = f"{self.token}t"
        self.token_file.write_text(self.token, encoding="utf-8")

    @staticmethod
    def document(question: str) -> dict[str, object]:
        """Return the day's answer, with the time at which it was made."""
        return {
            "curUTC": datetime.now(UTC).isoformat(),
            "rows": [{"amount": amount(question)}],
        }

    async def throttled(self, _request: web.Request, _question: str) -> web.StreamResponse:
        """Ask to come back later."""
        return web.Response(status=429, headers={"Retry-After": "0"})

    async def server_error(self, _request: web.Request, _question: str) -> web.StreamResponse:
        """Fail."""
        return web.json_response({"title": "Boom"}, status=500)

    async def gateway_timeout(self, _request: web.Request, _question: str) -> web.StreamResponse:
        """Fail after a while."""
        await asyncio.sleep(0.02)
        return web.Response(status=504, text="<html>Gateway Timeout</html>")

    async def cut(self, request: web.Request, _question: str) -> web.StreamResponse:
        """Cut the connection before any answer."""
        assert request.transport is not None
        request.transport.close()
        return web.Response()

    async def truncated(self, _request: web.Request, question: str) -> web.StreamResponse:
        """Answer 200 with half a document, whose length is right."""
        return web.Response(body=json.dumps(self.document(question))[:-9].encode())

    async def web_page(self, _request: web.Request, _question: str) -> web.StreamResponse:
        """Answer 200 with a page."""
        return web.Response(text="<html>Maintenance</html>", content_type="text/html")

    async def problem(self, _request: web.Request, _question: str) -> web.StreamResponse:
        """Answer 200 with a problem."""
        return web.json_response({"type": "about:blank", "title": "Oops", "status": 500})

    async def nothing(self, _request: web.Request, _question: str) -> web.StreamResponse:
        """Answer 200 with nothing."""
        return web.Response()

    async def slow_and_cut(self, request: web.Request, question: str) -> web.StreamResponse:
        """Send a body bit by bit and cut it off."""
        body = json.dumps(self.document(question)).encode()
        response = web.StreamResponse(headers={"Content-Length": str(len(body))})
        await response.prepare(request)
        for start in (0, 8):
            await response.write(body[start : start + 8])
            await asyncio.sleep(0.005)
        assert request.transport is not None
        request.transport.close()
        return response


async def test_a_long_range_ends_complete_within_the_limit_and_with_the_erps_totals(
    erp_server: FakeErp, lake: FakeLake, settings_for: Callable[..., Settings], tmp_path: Path
) -> None:
    """Two hundred store-days of every endpoint; no bad answer is stored, and none twice."""
    bad_days = BadDays(tmp_path / "token")
    erp_server.respond = bad_days.respond
    settings = settings_for(
        api_base_url=erp_server.url,
        api_token_file=bad_days.token_file,
        pull_requests_per_second=PER_SECOND,
        pull_concurrency=16,
        pull_max_attempts=Settings.model_fields["pull_max_attempts"].default,
    )
    plan = make_plan(FIRST, LAST, STORES, ())
    tally = Tally(plan.target_count)
    async with open_erp(settings) as erp:
        await pull(plan, erp.ask, lake, tally, PullOptions(settings))

    assert (tally.stored, tally.failures, tally.is_complete) == (plan.target_count, [], True)
    identities = [parse_key(key) for key in lake.objects]
    assert len({key for key in identities if isinstance(key, ApiKey)}) == plan.target_count
    stored = [json.loads(obj.body)["rows"][0]["amount"] for obj in lake.objects.values()]
    assert sum(stored) == sum(amount(question) for question in bad_days.times)
    assert bad_days.failures.keys() == {"expired", *(way.__name__ for way in bad_days.ways)}
    # How many come with a token that has just expired depends on the machine.
    expired = bad_days.failures.pop("expired")
    failures = sum(bad_days.failures.values())
    assert 0.15 < failures / (len(bad_days.arrived) - expired) < 0.25
    # They are sent so far apart; on a busy machine some arrive late, and closer to the next.
    for first, last in zip(bad_days.arrived, bad_days.arrived[400:], strict=False):
        assert last - first >= 400 / PER_SECOND - 0.3
