"""Asking the ERP, against a real HTTP server."""

import gzip
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from producer.erp.client import open_erp
from producer.erp.refusals import map_error
from producer.errors import ErpRefused, ErpUnavailable
from runtime.errors import SettingsInvalid
from schemas.registry import ENDPOINTS
from tests.support.asking import SettingsFor, about, ask, ok
from tests.support.facts import LISTS
from tests.support.producer_fakes import FakeErp


async def test_the_request_is_the_documented_one(
    erp_server: FakeErp, settings_for: SettingsFor
) -> None:
    erp_server.answer_with(ok)
    async with open_erp(
        settings_for(api_base_url=erp_server.url + "v1/", api_token="s3cret")
    ) as erp:
        for endpoint in ENDPOINTS:
            await erp.ask(about("São João", endpoint))

    lists = (f"/v1{facts.path}" for facts in LISTS.values())
    assert [path for path, _, _ in erp_server.asked] == ["/v1/res/getGuestChecks", *lists]
    for _, body, headers in erp_server.asked:
        assert body == {"busDt": "2024-01-01", "storeId": "São João"}
        assert headers["Authorization"] == "Bearer s3cret"


async def test_the_body_comes_back_byte_for_byte(
    erp_server: FakeErp, settings_for: SettingsFor
) -> None:
    body = b'\xef\xbb\xbf{ "b":1.50,\r\n\t"a":"\\u00e9\xc3\xa9", "a":2 }\n\n'
    erp_server.answer_with(lambda: web.Response(body=body, content_type="application/json"))
    answer = await ask(settings_for(api_base_url=erp_server.url))
    assert answer.body == body
    assert answer.pulled_at.tzinfo is not None


async def test_a_body_compressed_on_the_wire_is_unpacked(
    erp_server: FakeErp, settings_for: SettingsFor
) -> None:
    erp_server.answer_with(
        lambda: web.Response(body=gzip.compress(b'{"a": 1}'), headers={"Content-Encoding": "gzip"})
    )
    answer = await ask(settings_for(api_base_url=erp_server.url))
    assert answer.body == b'{"a": 1}'


@pytest.mark.parametrize("code", [201, 204, 301, 302, 400, 401, 403, 404, 422])
async def test_any_other_status_is_refused_at_once(
    erp_server: FakeErp, settings_for: SettingsFor, code: int
) -> None:
    erp_server.answer_with(
        lambda: web.Response(status=code, headers={"Location": erp_server.url + "login"})
    )
    with pytest.raises(ErpRefused, match=f"the ERP answered {code}"):
        await ask(settings_for(api_base_url=erp_server.url))
    assert len(erp_server.asked) == 1


async def test_an_answer_beyond_the_limit_is_refused(
    erp_server: FakeErp, settings_for: SettingsFor
) -> None:
    erp_server.answer_with(lambda: web.Response(body=b"x" * 3000))
    with pytest.raises(ErpRefused, match="PULL_MAX_ANSWER_BYTES"):
        await ask(settings_for(api_base_url=erp_server.url, pull_max_answer_bytes=2048))


async def test_nobody_listening_is_a_passing_failure(
    settings_for: SettingsFor, unused_tcp_port: int
) -> None:
    with pytest.raises(ErpUnavailable, match=f"127.0.0.1:{unused_tcp_port}"):
        await ask(settings_for(api_base_url=f"http://127.0.0.1:{unused_tcp_port}"))


async def test_an_address_that_is_not_set_is_named(settings_for: SettingsFor) -> None:
    with pytest.raises(SettingsInvalid, match="API_BASE_URL is not set"):
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
    members = {
        "__str__": lambda _self: "why",
        "status": 502,
        "certificate_error": ValueError("why"),
    }
    silent: Any = type(kind.__name__, (kind,), members)
    error = silent.__new__(silent)
    assert kind.__name__ in PERMANENT | TRANSIENT
    assert map_error(error).is_transient == (kind.__name__ in TRANSIENT)
