"""Asking the ERP, against a real HTTP server that misbehaves as told."""

import asyncio
import gzip
import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from producer.answers import Answer, check_answer
from producer.erp import map_error, open_erp, retry_after_seconds
from producer.errors import (
    AnswerRejectedError,
    ConfigurationError,
    ErpRefusedError,
    ErpUnavailableError,
)
from producer.settings import Settings
from schemas.sources import ENDPOINTS
from tests.unit.producer.fakes import FakeErp

DAY = date(2024, 1, 1)
SettingsFor = Callable[..., Settings]


def ok() -> web.Response:
    return web.Response(body=b'{"storeId":"1"}', content_type="application/json")


def status(code: int, **headers: str) -> Callable[[], web.Response]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda: web.json_response({"title": "No"}, status=code, headers=named)


def anything(_answer: Answer) -> None:
    """Let every answer pass."""


async def ask(
    settings: Settings, store_id: str = "1", check: Callable[[Answer], None] = anything
) -> Answer:
    async with open_erp(settings) as erp:
        return await erp.ask(ENDPOINTS[0], store_id, DAY, check)


async def test_the_request_is_the_documented_one(
    erp_server: FakeErp, settings_for: SettingsFor
) -> None:
    erp_server.answer_with(ok)
    async with open_erp(
        settings_for(api_base_url=erp_server.url + "v1/", api_token="s3cret")
    ) as erp:
        for endpoint in ENDPOINTS:
            await erp.ask(endpoint, "São João", DAY, anything)

    assert [path for path, _, _ in erp_server.asked] == [
        "/v1/res/getGuestChecks",
        "/v1/bi/getFiscalInvoice",
        "/v1/org/getChargeBack",
        "/v1/trans/getTransactions",
        "/v1/inv/getCashManagementDetails",
    ]
    for _, body, headers in erp_server.asked:
        assert body == {"busDt": "2024-01-01", "storeId": "São João"}
        assert headers["Authorization"] == "Bearer s3cret"


async def test_without_a_token_no_authorization_is_sent(
    erp_server: FakeErp, settings_for: SettingsFor
) -> None:
    erp_server.answer_with(ok)
    await ask(settings_for(api_base_url=erp_server.url))
    assert "Authorization" not in erp_server.asked[0][2]


async def test_the_body_comes_back_byte_for_byte(
    erp_server: FakeErp, settings_for: SettingsFor
) -> None:
    body = b'\xef\xbb\xbf{ "b":1.50,\r\n\t"a":"\\u00e9\xc3\xa9", "a":2 }\n\n'
    erp_server.answer_with(lambda: web.Response(body=body, content_type="application/json"))
    answer = await ask(settings_for(api_base_url=erp_server.url))
    assert answer.body == body
    assert answer.status == 200
    assert answer.pulled_at.tzinfo is not None


async def test_a_body_compressed_on_the_wire_is_unpacked(
    erp_server: FakeErp, settings_for: SettingsFor
) -> None:
    erp_server.answer_with(
        lambda: web.Response(body=gzip.compress(b"{}"), headers={"Content-Encoding": "gzip"})
    )
    answer = await ask(settings_for(api_base_url=erp_server.url))
    assert answer.body == b"{}"


@pytest.mark.parametrize("code", [408, 425, 429, 500, 502, 503, 504])
async def test_a_passing_failure_is_asked_again(
    erp_server: FakeErp, settings_for: SettingsFor, code: int
) -> None:
    erp_server.answer_with(status(code), status(code), ok)
    answer = await ask(settings_for(api_base_url=erp_server.url))
    assert (answer.body, len(erp_server.asked)) == (b'{"storeId":"1"}', 3)


async def test_an_answer_that_does_not_pass_is_asked_for_again(
    erp_server: FakeErp, settings_for: SettingsFor
) -> None:
    """An HTML page and a truncated document with status 200 are bad days like any other."""
    erp_server.answer_with(
        lambda: web.Response(body=b"<html>", content_type="text/html"),
        lambda: web.Response(body=b'{"storeId": '),
        ok,
    )
    answer = await ask(settings_for(api_base_url=erp_server.url), check=check_answer)
    assert (answer.body, len(erp_server.asked)) == (b'{"storeId":"1"}', 3)


async def test_an_answer_that_never_passes_is_reported_after_the_last_attempt(
    erp_server: FakeErp, settings_for: SettingsFor
) -> None:
    erp_server.answer_with(lambda: web.Response(body=b"<html>"))
    with pytest.raises(AnswerRejectedError, match="something other than JSON"):
        await ask(settings_for(api_base_url=erp_server.url), check=check_answer)
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
    async with open_erp(settings) as erp:
        await asyncio.gather(
            *(erp.ask(ENDPOINTS[0], str(number), DAY, anything) for number in range(20))
        )
    assert len(arrived) == 30
    assert arrived[-1] - arrived[0] >= (len(arrived) - 1) / 50 - 0.05


async def test_the_key_goes_along_as_x_api_key(
    erp_server: FakeErp, settings_for: SettingsFor
) -> None:
    erp_server.answer_with(ok)
    await ask(settings_for(api_base_url=erp_server.url, api_key="k3y"))
    headers = erp_server.asked[0][2]
    assert (headers["x-api-key"], headers.get("Authorization")) == ("k3y", None)


async def test_a_token_that_expired_is_read_anew_and_the_question_asked_again(
    erp_server: FakeErp, settings_for: SettingsFor, tmp_path: Path
) -> None:
    file = tmp_path / "token"
    file.write_text("old\n", encoding="utf-8")

    async def respond(request: web.Request) -> web.Response:
        file.write_text("new\n", encoding="utf-8")
        return ok() if request.headers["Authorization"] == "Bearer new" else status(401)()

    erp_server.respond = respond
    settings = settings_for(api_base_url=erp_server.url, api_token_file=file, pull_max_attempts=1)
    answer = await ask(settings)
    assert (answer.body, len(erp_server.asked)) == (b'{"storeId":"1"}', 2)


async def test_a_token_is_renewed_once_and_then_refused(
    erp_server: FakeErp, settings_for: SettingsFor, tmp_path: Path
) -> None:
    file = tmp_path / "token"
    file.write_text("t", encoding="utf-8")
    erp_server.answer_with(status(401))
    with pytest.raises(ErpRefusedError, match="check API_TOKEN"):
        await ask(settings_for(api_base_url=erp_server.url, api_token_file=file))
    assert len(erp_server.asked) == 2


async def test_a_token_file_that_vanished_leaves_the_refusal(
    erp_server: FakeErp, settings_for: SettingsFor, tmp_path: Path
) -> None:
    file = tmp_path / "token"
    file.write_text("t", encoding="utf-8")

    async def respond(_request: web.Request) -> web.Response:
        file.unlink()
        return status(401)()

    erp_server.respond = respond
    with pytest.raises(ErpRefusedError, match="the ERP answered 401"):
        await ask(settings_for(api_base_url=erp_server.url, api_token_file=file))
    assert len(erp_server.asked) == 1


@pytest.mark.parametrize(
    ("content", "message"),
    [(None, "cannot be read"), (b"a b", "holds is no token"), (b" \n", "is empty")],
)
async def test_an_unusable_token_file_is_named_before_anything_is_sent(
    settings_for: SettingsFor, tmp_path: Path, content: bytes | None, message: str
) -> None:
    file = tmp_path / "token"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ConfigurationError, match=message) as caught:
        await ask(settings_for(api_base_url="http://127.0.0.1:1", api_token_file=file))
    assert "a b" not in str(caught.value)


async def test_patience_ends_after_the_last_attempt(
    erp_server: FakeErp, settings_for: SettingsFor
) -> None:
    erp_server.answer_with(status(503))
    with pytest.raises(ErpUnavailableError, match="the ERP answered 503: No"):
        await ask(settings_for(api_base_url=erp_server.url))
    assert len(erp_server.asked) == 3


@pytest.mark.parametrize("code", [201, 204, 301, 302, 400, 401, 403, 404, 422])
async def test_any_other_status_is_refused_at_once(
    erp_server: FakeErp, settings_for: SettingsFor, code: int
) -> None:
    erp_server.answer_with(
        lambda: web.Response(status=code, headers={"Location": erp_server.url + "login"})
    )
    with pytest.raises(ErpRefusedError, match=f"the ERP answered {code}"):
        await ask(settings_for(api_base_url=erp_server.url))
    assert len(erp_server.asked) == 1


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
        first = asyncio.create_task(erp.ask(ENDPOINTS[0], "1", DAY, anything))
        for _ in range(1_000):
            if erp._quiet_until > 0:
                break
            await asyncio.sleep(0.005)
        await erp.ask(ENDPOINTS[0], "2", DAY, anything)
        await first

    assert min(arrived[1:]) - arrived[0] >= 1.0


async def test_a_retry_after_beyond_the_limit_is_not_waited_for(
    erp_server: FakeErp, settings_for: SettingsFor
) -> None:
    erp_server.answer_with(status(429, Retry_After="3600"))
    with pytest.raises(ErpUnavailableError, match="it asks to wait 3600 s"):
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
    assert (answer.body, len(erp_server.asked)) == (b'{"storeId":"1"}', 2)


async def test_an_answer_cut_short_is_asked_for_again(
    erp_server: FakeErp, settings_for: SettingsFor
) -> None:
    """A body shorter than its Content-Length must never reach the lake."""

    async def respond(request: web.Request) -> web.StreamResponse:
        if len(erp_server.asked) > 1:
            return ok()
        cut = web.StreamResponse(headers={"Content-Length": "1000"})
        await cut.prepare(request)
        await cut.write(b'{"storeId":"1"}')
        assert request.transport is not None
        request.transport.close()
        return cut

    erp_server.respond = respond
    answer = await ask(settings_for(api_base_url=erp_server.url))
    assert (answer.body, len(erp_server.asked)) == (b'{"storeId":"1"}', 2)


async def test_an_answer_beyond_the_limit_is_refused(
    erp_server: FakeErp, settings_for: SettingsFor
) -> None:
    erp_server.answer_with(lambda: web.Response(body=b"x" * 3000))
    with pytest.raises(ErpRefusedError, match="PULL_MAX_ANSWER_BYTES"):
        await ask(settings_for(api_base_url=erp_server.url, pull_max_answer_bytes=2048))


async def test_nobody_listening_is_a_passing_failure(
    settings_for: SettingsFor, unused_tcp_port: int
) -> None:
    with pytest.raises(ErpUnavailableError, match=f"127.0.0.1:{unused_tcp_port}"):
        await ask(settings_for(api_base_url=f"http://127.0.0.1:{unused_tcp_port}"))


async def test_an_address_that_is_not_set_is_named(settings_for: SettingsFor) -> None:
    with pytest.raises(ConfigurationError, match="API_BASE_URL is not set"):
        await ask(settings_for())


def _every_subclass(root: type[Exception]) -> set[type[Exception]]:
    return {root}.union(*(_every_subclass(child) for child in root.__subclasses__()))


PERMANENT = {
    "ClientConnectorCertificateError",
    "ClientConnectorSSLError",
    "ClientSSLError",
    "InvalidURL",
    "InvalidUrlClientError",
    "InvalidUrlRedirectClientError",
    "NonHttpUrlClientError",
    "NonHttpUrlRedirectClientError",
}
TRANSIENT = {
    "ClientConnectionError",
    "ClientConnectionResetError",
    "ClientConnectorDNSError",
    "ClientConnectorError",
    "ClientError",
    "ClientHttpProxyError",
    "ClientOSError",
    "ClientPayloadError",
    "ClientProxyConnectionError",
    "ClientResponseError",
    "ConnectionTimeoutError",
    "ContentTypeError",
    "RedirectClientError",
    "ServerConnectionError",
    "ServerDisconnectedError",
    "ServerFingerprintMismatch",
    "ServerTimeoutError",
    "SocketTimeoutError",
    "TooManyRedirects",
    "UnixClientConnectorError",
    "UploadAbortedError",
    "WSServerHandshakeError",
}


@pytest.mark.parametrize("kind", sorted(_every_subclass(aiohttp.ClientError), key=str))
def test_every_exception_of_aiohttp_is_classified(kind: type[aiohttp.ClientError]) -> None:
    """A new kind in a later aiohttp fails here until somebody decides about it."""
    silent: Any = type(kind.__name__, (kind,), {"__str__": lambda _self: "why"})
    exc = silent.__new__(silent)
    assert kind.__name__ in PERMANENT | TRANSIENT
    assert map_error(exc).is_transient == (kind.__name__ in TRANSIENT)
