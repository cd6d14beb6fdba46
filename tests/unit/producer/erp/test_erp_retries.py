"""When the ERP is asked again, and when no more, against a real HTTP server."""

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from aiohttp import web
from structlog.testing import capture_logs

from producer.erp.client import open_erp
from producer.erp.refusals import retry_after_seconds
from producer.errors import AnswerRejected, ErpUnavailable
from tests.support.asking import SettingsFor, about, ask, ok, status
from tests.support.producer_fakes import FakeErp


@pytest.mark.parametrize("code", [408, 425, 429, 500, 502, 503, 504])
async def test_a_passing_failure_is_asked_again(
    erp_server: FakeErp, settings_for: SettingsFor, code: int
) -> None:
    erp_server.answer_with(status(code), status(code), ok)
    answer = await ask(settings_for(api_base_url=erp_server.url))
    assert (answer.body, len(erp_server.asked)) == (b'{"rows":[]}', 3)


async def test_an_answer_that_does_not_pass_is_asked_for_again(
    erp_server: FakeErp, settings_for: SettingsFor
) -> None:
    """An HTML page and a truncated document with status 200 are bad days like any other."""
    erp_server.answer_with(
        lambda: web.Response(body=b"<html>", content_type="text/html"),
        lambda: web.Response(body=b'{"storeId": '),
        ok,
    )
    answer = await ask(settings_for(api_base_url=erp_server.url))
    assert (answer.body, len(erp_server.asked)) == (b'{"rows":[]}', 3)


async def test_a_retry_is_logged_as_our_own_event(
    erp_server: FakeErp, settings_for: SettingsFor
) -> None:
    erp_server.answer_with(status(503), ok)
    with capture_logs() as logs:
        await ask(settings_for(api_base_url=erp_server.url))
    [log] = logs
    wait_seconds = log.pop("wait_seconds")
    assert 0 < wait_seconds <= 0.005
    assert log == {
        "event": "erp_retry_scheduled",
        "log_level": "warning",
        "attempt": 2,
        "code": "erp_unavailable",
        "reason": "the ERP answered 503: No",
    }


async def test_an_answer_that_never_passes_is_reported_after_the_last_attempt(
    erp_server: FakeErp, settings_for: SettingsFor
) -> None:
    erp_server.answer_with(lambda: web.Response(body=b"<html>"))
    with pytest.raises(AnswerRejected, match="something other than JSON"):
        await ask(settings_for(api_base_url=erp_server.url))
    assert len(erp_server.asked) == 3


async def test_requests_keep_to_the_limit_per_second(
    erp_server: FakeErp, settings_for: SettingsFor
) -> None:
    """Retries count: no window of the limit's length holds more requests than the limit."""
    arrived: list[float] = []

    async def respond(_request: web.Request) -> web.Response:
        arrived.append(time.monotonic())
        return status(500)() if len(arrived) <= 10 else ok()

    erp_server.respond = respond
    settings = settings_for(api_base_url=erp_server.url, pull_requests_per_second=50)
    started = time.monotonic()
    async with open_erp(settings) as erp:
        await asyncio.gather(*(erp.ask(about(str(number))) for number in range(20)))
    assert len(arrived) == 30
    assert arrived[-1] - started >= (len(arrived) - 1) / 50 - 0.05


async def test_patience_ends_after_the_last_attempt(
    erp_server: FakeErp, settings_for: SettingsFor
) -> None:
    erp_server.answer_with(status(503))
    with pytest.raises(ErpUnavailable, match="the ERP answered 503: No"):
        await ask(settings_for(api_base_url=erp_server.url))
    assert len(erp_server.asked) == 3


async def test_retry_after_is_waited_for(erp_server: FakeErp, settings_for: SettingsFor) -> None:
    erp_server.answer_with(status(429, Retry_After="1"), ok)
    started = time.monotonic()
    await ask(settings_for(api_base_url=erp_server.url))
    assert time.monotonic() - started >= 1.0


async def test_retry_after_holds_back_every_other_request(
    erp_server: FakeErp, settings_for: SettingsFor
) -> None:
    """The race: a second question is asked while the first one waits as it was told."""
    arrived: list[float] = []

    async def respond(_request: web.Request) -> web.Response:
        arrived.append(time.monotonic())
        return status(429, Retry_After="1")() if len(arrived) == 1 else ok()

    erp_server.respond = respond
    async with open_erp(settings_for(api_base_url=erp_server.url)) as erp:
        first = asyncio.create_task(erp.ask(about("1")))
        for _ in range(1_000):
            if erp._quiet_until > 0:
                break
            await asyncio.sleep(0.005)
        await erp.ask(about("2"))
        await first

    assert min(arrived[1:]) - arrived[0] >= 1.0


async def test_a_retry_after_beyond_the_limit_is_not_waited_for(
    erp_server: FakeErp, settings_for: SettingsFor
) -> None:
    erp_server.answer_with(status(429, Retry_After="3600"))
    with pytest.raises(ErpUnavailable, match="it asks to wait 3600 s"):
        await ask(settings_for(api_base_url=erp_server.url, pull_retry_after_max_seconds=10))
    assert len(erp_server.asked) == 1


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("7", 7.0),
        (" 0 ", 0.0),
        ("Mon, 01 Jan 2024 00:00:30 GMT", 30.0),
        ("Sun, 31 Dec 2023 00:00:00 GMT", 0.0),
        ("Mon, 01 Jan 2024 00:00:30 -0000", 30.0),
        ("soon", None),
        ("-5", None),
        ("\u0661", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(header: str | None, seconds: float | None) -> None:
    assert retry_after_seconds(header, datetime(2024, 1, 1, tzinfo=UTC)) == seconds


async def test_an_erp_that_hangs_is_asked_again(
    erp_server: FakeErp, settings_for: SettingsFor
) -> None:
    async def respond(_request: web.Request) -> web.Response:
        if len(erp_server.asked) == 1:
            await asyncio.Event().wait()
        return ok()

    erp_server.respond = respond
    answer = await ask(
        settings_for(
            api_base_url=erp_server.url,
            pull_request_timeout_seconds=0.3,
            pull_connect_timeout_seconds=0.3,
        )
    )
    assert (answer.body, len(erp_server.asked)) == (b'{"rows":[]}', 2)


async def test_an_answer_cut_short_is_asked_for_again(
    erp_server: FakeErp, settings_for: SettingsFor
) -> None:
    """A body shorter than its Content-Length must never reach the lake."""

    async def respond(request: web.Request) -> web.StreamResponse:
        if len(erp_server.asked) > 1:
            return ok()
        cut = web.StreamResponse(headers={"Content-Length": "1000"})
        await cut.prepare(request)
        await cut.write(b'{"rows":[]}')
        assert request.transport is not None
        request.transport.close()
        return cut

    erp_server.respond = respond
    answer = await ask(settings_for(api_base_url=erp_server.url))
    assert (answer.body, len(erp_server.asked)) == (b'{"rows":[]}', 2)


def checks_of(day: str) -> Callable[[], web.Response]:
    """Give a day's checks, as an ERP that has the day wrong."""
    document = {"locRef": "1", "guestChecks": [{"opnBusDt": day, "clsdBusDt": day}]}
    return lambda: web.json_response(document)


async def test_checks_of_another_day_are_asked_for_again(
    erp_server: FakeErp, settings_for: SettingsFor
) -> None:
    erp_server.answer_with(checks_of("2023-12-31"), checks_of("2024-01-01"))
    answer = await ask(settings_for(api_base_url=erp_server.url))
    assert (answer.doubt, len(erp_server.asked)) == (None, 2)


async def test_checks_that_stay_those_of_another_day_come_with_their_doubt(
    erp_server: FakeErp, settings_for: SettingsFor
) -> None:
    erp_server.answer_with(checks_of("2023-12-31"))
    answer = await ask(settings_for(api_base_url=erp_server.url))
    assert answer.doubt == (
        "0 of 1 checks were opened or closed on 2024-01-01, the others on 2023-12-31"
    )
    assert (b"2023-12-31" in answer.body, len(erp_server.asked)) == (True, 3)
