"""S3 and SQS behind TLS, proxies, and networks that swallow what is sent."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from producer.aws.s3 import S3Lake, open_lake
from producer.errors import LakeClosed, LakeUnavailable
from producer.lake import LakeObject
from producer.settings import Settings
from runtime import sockets
from runtime.aws_clients import open_client
from runtime.aws_errors import AWS_ERRORS, Verdict, classify
from tests.conftest import Lake
from tests.support.http_proxy import running_proxy
from tests.support.proxies import proxy_to_port
from tests.support.tls import Authority, front, make_authority

OBJECT = LakeObject("raw/erp/a.json", b"{}", {})
SettingsAt = Callable[..., Settings]
Call = Callable[[Any], Awaitable[Any]]


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return make_authority(tmp_path_factory.mktemp("tls"))


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide the machine's own proxies and certificates."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture
def port(environment: dict[str, str]) -> int:
    """Give LocalStack's port."""
    found = urlsplit(environment["AWS_ENDPOINT_URL"]).port
    assert found is not None
    return found


@pytest.fixture
def settings_at(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> SettingsAt:
    """Settings for this test's lake at another address, with short timeouts."""
    monkeypatch.chdir(tmp_path)
    for name in ("BUCKET_NAME", "AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, environment[name])

    def build(endpoint: str, **more: Any) -> Settings:
        quick = {"lake_timeout_seconds": 1, "lake_max_attempts": 3}
        return Settings(aws_endpoint_url=endpoint, **{**quick, **more})

    return build


SERVICES: dict[str, Any] = {"list": "s3", "put": "s3", "send": "sqs", "receive": "sqs"}


def calls(lake: Lake) -> dict[str, Call]:
    """Return calls that work."""
    bucket, queue = {"Bucket": lake.bucket}, {"QueueUrl": lake.queue_url}
    return {
        "list": lambda client: client.list_objects_v2(**bucket),
        "put": lambda client: client.put_object(**bucket, Key="raw/erp/a.json", Body=b"{}"),
        "send": lambda client: client.send_message(**queue, MessageBody="{}"),
        "receive": lambda client: client.receive_message(**queue, WaitTimeSeconds=0),
    }


@pytest.mark.parametrize("name", SERVICES)
async def test_a_call_on_a_connection_that_went_silent_is_repeated_on_another(
    lake: Lake, port: int, settings_at: SettingsAt, name: str
) -> None:
    """No FIN and no RST: only the timeout tells. The SDK then tries a new connection."""
    call, service = calls(lake)[name], SERVICES[name]
    with proxy_to_port(port) as proxy:
        settings = settings_at(f"http://127.0.0.1:{proxy.port}")
        async with open_client(service, settings, 1, timeout_seconds=1) as client:
            await call(client)
            assert proxy.silence() > 0
            started = time.monotonic()
            await call(client)
            assert 1 <= time.monotonic() - started < 20


@pytest.mark.parametrize("name", SERVICES)
async def test_a_network_that_swallows_everything_ends_the_call_as_unavailable(
    lake: Lake, port: int, settings_at: SettingsAt, name: str
) -> None:
    call, service = calls(lake)[name], SERVICES[name]
    with proxy_to_port(port) as proxy:
        proxy.silence(new_ones_too=True)
        settings = settings_at(f"http://127.0.0.1:{proxy.port}")
        async with open_client(service, settings, 1, timeout_seconds=1, max_attempts=2) as client:
            started = time.monotonic()
            with pytest.raises(AWS_ERRORS) as failed:
                await call(client)
            assert time.monotonic() - started < 30
    assert classify(failed.value).verdict is Verdict.UNAVAILABLE


@pytest.mark.parametrize("service", ["s3", "sqs"])
async def test_by_default_a_silent_attempt_ends_within_a_minute_and_after_a_long_poll(
    settings_at: SettingsAt, service: Any
) -> None:
    settings = settings_at("http://127.0.0.1:1")
    async with open_client(service, settings, 1) as client:
        assert 20 < client.meta.config.read_timeout <= 40
        assert client.meta.config.connect_timeout + client.meta.config.read_timeout <= 60
    assert Settings.model_fields["lake_timeout_seconds"].default <= 40


@asynccontextmanager
async def deaf_server() -> AsyncIterator[int]:
    """Accept connections and never read from them; yields the port."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        listener.setblocking(False)
        accepting = asyncio.create_task(asyncio.get_running_loop().sock_accept(listener))
        try:
            yield listener.getsockname()[1]
        finally:
            accepting.cancel()
            await asyncio.wait({accepting})
            if not accepting.cancelled():
                accepting.result()[0].close()


async def test_an_upload_that_nobody_takes_ends(
    settings_at: SettingsAt, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No timeout of the SDK covers what cannot be sent: the kernel would go on for 15 minutes."""
    monkeypatch.setattr(sockets, "UNACKNOWLEDGED_SECONDS", 1)
    large = LakeObject("raw/erp/a.json", b" " * 64 * 2**20, {})
    async with deaf_server() as port:
        settings = settings_at(f"http://127.0.0.1:{port}", lake_max_attempts=1)
        async with open_lake(settings, concurrency=1) as lake:
            async with asyncio.timeout(60):
                with pytest.raises(LakeUnavailable):
                    await lake.put(large)


async def put_at(settings: Settings) -> None:
    """Write an object."""
    async with open_lake(settings, concurrency=1) as lake:
        assert isinstance(lake, S3Lake)
        await lake.put(OBJECT)


async def test_a_private_ca_is_trusted_when_the_sdk_s_variable_names_it(
    port: int, settings_at: SettingsAt, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with front("127.0.0.1", port, authority.server_context()) as secure:
        settings = settings_at(f"https://127.0.0.1:{secure}")
        with pytest.raises(LakeClosed, match=r"CERTIFICATE_VERIFY_FAILED.*set AWS_CA_BUNDLE"):
            await put_at(settings)
        monkeypatch.setenv("AWS_CA_BUNDLE", str(authority.ca_file))
        await put_at(settings)


async def test_the_proxy_of_the_environment_is_used(
    port: int, settings_at: SettingsAt, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_CA_BUNDLE", str(authority.ca_file))
    async with (
        front("127.0.0.1", port, authority.server_context()) as secure,
        running_proxy() as proxy,
    ):
        for name in ("HTTP_PROXY", "HTTPS_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        await put_at(settings_at(f"http://127.0.0.1:{port}"))
        await put_at(settings_at(f"https://127.0.0.1:{secure}"))
        plain, tunnelled = proxy.asked
        assert plain.startswith(f"PUT http://127.0.0.1:{port}/")
        assert tunnelled == f"CONNECT 127.0.0.1:{secure}"
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        await put_at(settings_at(f"https://127.0.0.1:{secure}"))
        assert len(proxy.asked) == 2


async def test_an_endpoint_with_an_ipv6_address_is_reached(
    lake: Lake, port: int, settings_at: SettingsAt
) -> None:
    async with front("::1", port) as other:
        settings = settings_at(f"http://[::1]:{other}")
        await put_at(settings)
        async with open_client("sqs", settings, 1) as client:
            assert (await calls(lake)["send"](client))["MessageId"]
    stored = lake.s3.get_object(Bucket=lake.bucket, Key=OBJECT.key)
    assert OBJECT.body == stored["Body"].read()
