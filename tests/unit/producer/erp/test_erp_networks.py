"""The ERP behind proxies, private CAs and client certificates, on real connections."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from producer.erp.client import open_erp
from producer.errors import ErpMisconfigured, ErpUnavailable
from producer.settings import Settings
from runtime.errors import SettingsInvalid
from tests.support.asking import SettingsFor, about, ask, ok
from tests.support.http_proxy import running_proxy
from tests.support.producer_fakes import FakeErp
from tests.support.proxies import proxy_to_port
from tests.support.tls import Authority, make_authority, refusing_clients


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return make_authority(tmp_path_factory.mktemp("tls"))


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide the machine's own proxies."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@asynccontextmanager
async def tls_erp(context: ssl.SSLContext) -> AsyncIterator[str]:
    """Serve one answer over TLS; yields the address."""

    async def handle(_request: web.Request) -> web.Response:
        return ok()

    app = web.Application()
    app.router.add_post("/{path:.*}", handle)
    server = TestServer(app, scheme="https")
    await server.start_server(ssl=context)
    try:
        yield f"https://127.0.0.1:{server.port}/"
    finally:
        await server.close()


async def test_a_private_ca_is_trusted_when_it_is_named(
    authority: Authority, settings_for: SettingsFor
) -> None:
    async with tls_erp(authority.server_context()) as url:
        answer = await ask(settings_for(api_base_url=url, erp_ca_file=authority.ca_file))
    assert answer.body == b'{"rows":[]}'


async def test_the_ca_file_may_have_the_name_that_other_programs_read(
    authority: Authority, settings_for: SettingsFor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.ca_file))
    async with tls_erp(authority.server_context()) as url:
        assert (await ask(settings_for(api_base_url=url))).body == ok().body


@pytest.mark.parametrize(
    ("name", "trusted", "reason"),
    [("127.0.0.1", False, "unable to get local issuer"), ("erp.example", True, "mismatch")],
)
async def test_an_untrusted_certificate_is_named_as_tls_and_asked_once(
    authority: Authority, settings_for: SettingsFor, name: str, *, trusted: bool, reason: str
) -> None:
    """Not as an endpoint to be enabled; asking again, or for another day, would not help."""
    async with tls_erp(authority.server_context(name)) as url:
        settings = settings_for(
            api_base_url=url, erp_ca_file=authority.ca_file if trusted else None
        )
        with pytest.raises(
            ErpMisconfigured, match="TLS: the ERP's certificate is not trusted"
        ) as no:
            await ask(settings)
    assert reason in str(no.value)
    assert "set ERP_CA_FILE" in str(no.value)
    assert no.value.stops_the_run


async def test_a_server_that_speaks_no_tls_is_named_as_tls(
    erp_server: FakeErp, settings_for: SettingsFor
) -> None:
    with pytest.raises(ErpMisconfigured, match="TLS with the ERP failed"):
        await ask(settings_for(api_base_url=erp_server.url.replace("http:", "https:")))


async def test_a_client_certificate_is_shown_to_an_erp_that_wants_one(
    authority: Authority, settings_for: SettingsFor
) -> None:
    async with tls_erp(authority.server_context(ask_client=True)) as url:
        settings = settings_for(
            api_base_url=url,
            erp_ca_file=authority.ca_file,
            erp_client_cert_file=authority.client_file,
        )
        assert (await ask(settings)).body == ok().body


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_an_erp_that_misses_a_client_certificate_is_named_as_tls(
    authority: Authority, settings_for: SettingsFor, version: ssl.TLSVersion
) -> None:
    """With TLS 1.3 the refusal comes after the handshake, in place of the answer."""
    context = authority.server_context(ask_client=True)
    context.minimum_version = context.maximum_version = version
    with refusing_clients(context) as port:
        settings = settings_for(
            api_base_url=f"https://127.0.0.1:{port}", erp_ca_file=authority.ca_file
        )
        with pytest.raises(ErpMisconfigured, match="ERP_CLIENT_CERT_FILE"):
            await ask(settings)


@pytest.mark.parametrize("name", ["erp_ca_file", "erp_client_cert_file"])
@pytest.mark.parametrize("content", [None, b"", b"no certificate"])
async def test_an_unusable_certificate_is_named_before_anything_is_sent(
    settings_for: SettingsFor, tmp_path: Path, name: str, content: bytes | None
) -> None:
    file = tmp_path / "file.pem"
    if content is not None:
        file.write_bytes(content)
    settings = settings_for(api_base_url="https://127.0.0.1:1", **{name: file})
    with pytest.raises(SettingsInvalid, match=f"{name.upper()}.*cannot be used"):
        await ask(settings)


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("https://user:s3cret@127.0.0.1/", "contains credentials"),
        ("https://127.0.0.1/api?code=s3cret", "contains a query"),
        ("https://127.0.0.1/api#s3cret", "fragment"),
    ],
)
async def test_an_address_with_more_than_an_address_is_refused_and_not_shown(
    settings_for: SettingsFor, address: str, reason: str
) -> None:
    with pytest.raises(SettingsInvalid, match=reason) as refused:
        await ask(settings_for(api_base_url=address))
    assert "s3cret" not in str(refused.value)
    assert "API_KEY" in str(refused.value)


async def test_an_erp_over_https_is_asked_through_the_proxy_of_the_environment(
    authority: Authority, settings_for: SettingsFor, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with tls_erp(authority.server_context()) as url, running_proxy() as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://user:p%40ss@127.0.0.1:{proxy.port}")
        answer = await ask(settings_for(api_base_url=url, erp_ca_file=authority.ca_file))
        assert answer.body == ok().body
        assert proxy.asked == [f"CONNECT {url.removeprefix('https://').rstrip('/')}"]
        assert proxy.credentials == ["Basic dXNlcjpwQHNz"]


@pytest.mark.parametrize("address", ["http://127.0.0.1:{}", "127.0.0.1:{}"])
async def test_an_erp_over_http_is_asked_through_the_proxy_of_the_environment(
    erp_server: FakeErp, settings_for: SettingsFor, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    erp_server.answer_with(ok)
    async with running_proxy() as proxy:
        monkeypatch.setenv("http_proxy", address.format(proxy.port))
        await ask(settings_for(api_base_url=erp_server.url, api_token="s3cret"))
        assert proxy.asked == [f"POST {erp_server.url}res/getGuestChecks"]
    assert erp_server.asked[0][2]["Authorization"] == "Bearer s3cret"


async def test_an_erp_in_no_proxy_is_asked_directly(
    erp_server: FakeErp, settings_for: SettingsFor, monkeypatch: pytest.MonkeyPatch
) -> None:
    erp_server.answer_with(ok)
    async with running_proxy() as proxy:
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{proxy.port}")
        monkeypatch.setenv("NO_PROXY", "example.org,127.0.0.1")
        await ask(settings_for(api_base_url=erp_server.url))
        assert proxy.asked == []


@pytest.mark.parametrize(
    ("scheme", "status", "kind"),
    [
        ("http", 407, ErpMisconfigured),
        ("https", 407, ErpMisconfigured),
        ("https", 403, ErpMisconfigured),
        ("https", 502, ErpUnavailable),
    ],
)
async def test_a_proxy_that_refuses_is_named(
    settings_for: SettingsFor,
    monkeypatch: pytest.MonkeyPatch,
    scheme: str,
    status: int,
    kind: type[Exception],
) -> None:
    async with running_proxy() as proxy:
        proxy.status = status
        monkeypatch.setenv(f"{scheme}_proxy", f"http://user:s3cret@127.0.0.1:{proxy.port}")
        with pytest.raises(kind, match=f"proxy.*{status}") as refused:
            await ask(settings_for(api_base_url=f"{scheme}://erp.invalid/"))
    assert "s3cret" not in str(refused.value)
    assert len(proxy.asked) == (1 if kind is ErpMisconfigured else 3)


async def test_a_proxy_of_another_kind_is_refused_before_anything_is_sent(
    settings_for: SettingsFor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "socks5://127.0.0.1:1")
    with pytest.raises(SettingsInvalid, match="HTTPS_PROXY is a socks5 proxy"):
        await ask(settings_for(api_base_url="https://127.0.0.1:1"))


async def test_an_erp_with_an_ipv6_address_is_asked(settings_for: SettingsFor) -> None:
    async def handle(_request: web.Request) -> web.Response:
        return ok()

    app = web.Application()
    app.router.add_post("/{path:.*}", handle)
    async with TestServer(app, host="::1") as server:
        answer = await ask(settings_for(api_base_url=f"http://[::1]:{server.port}/"))
    assert answer.body == ok().body


async def test_an_erp_that_went_silent_is_asked_again_on_another_connection(
    erp_server: FakeErp, settings_for: SettingsFor
) -> None:
    """No FIN and no RST: only the silence tells, long before the time for a whole answer is over."""
    erp_server.answer_with(ok)
    port = int(erp_server.url.rpartition(":")[2].strip("/"))
    with proxy_to_port(port) as proxy:
        settings = settings_for(
            api_base_url=f"http://127.0.0.1:{proxy.port}", pull_read_timeout_seconds=0.5
        )
        async with open_erp(settings) as erp:
            await erp.ask(about("1"))
            assert proxy.silence() > 0
            async with asyncio.timeout(30):
                assert (await erp.ask(about("2"))).body == ok().body
    assert [body["storeId"] for _, body, _ in erp_server.asked] == ["1", "2"]


def test_by_default_a_silent_erp_is_given_up_within_a_minute() -> None:
    fields = Settings.model_fields
    connect, read = fields["pull_connect_timeout_seconds"], fields["pull_read_timeout_seconds"]
    assert connect.default + read.default <= 60
