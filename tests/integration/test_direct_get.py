"""Small objects on a real S3 without the SDK's own way, and with it wherever something is unusual."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from consumer.aws.direct_get import DirectGet
from consumer.aws.s3 import Lake as OurLake
from consumer.aws.s3 import Outdated, ReadLimits
from consumer.errors import Permanent
from runtime.aws_clients import open_client
from runtime.settings import AwsSettings
from schemas.codes import ErrorCode
from schemas.envelopes import ObjectEvent
from tests.conftest import Lake

LIMITS = ReadLimits(10**6, 10**6, 10**6)
KEY = "raw/erp/São João 1+1 (a).json"


@contextmanager
def counted(client: Any, calls: list[str]) -> Iterator[None]:
    """Count what the SDK sends itself."""
    note = lambda request, **_: calls.append(request.method)  # noqa: E731
    client.meta.events.register("before-send.s3.GetObject", note)
    yield
    client.meta.events.unregister("before-send.s3.GetObject", note)


def put(lake: Lake, body: bytes, key: str = KEY) -> ObjectEvent:
    stored = lake.s3.put_object(Bucket=lake.bucket, Key=key, Body=body)
    return ObjectEvent(
        lake.bucket,
        key,
        "ObjectCreated:Put",
        version_id=stored.get("VersionId"),
        etag=stored["ETag"].strip('"'),
        size_bytes=len(body),
    )


@pytest.fixture
def settings(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> AwsSettings:
    for name in ("AWS_ENDPOINT_URL", "AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, environment[name])
    return AwsSettings()


async def test_the_first_object_is_the_sdk_s_and_the_next_are_read_directly(
    lake: Lake, settings: AwsSettings
) -> None:
    """Version, ETag and time are those that the SDK tells; what is missing ends in its code."""
    lake.s3.put_bucket_versioning(Bucket=lake.bucket, VersioningConfiguration={"Status": "Enabled"})
    first, second = put(lake, b"[1]"), put(lake, b"[2]")
    calls: list[str] = []
    async with open_client("s3", settings, 4) as client:
        ours = OurLake(client, lake.bucket)
        with counted(client, calls):
            by_sdk = await ours.fetch(first, LIMITS)
            assert ["GET"] == calls
            assert by_sdk == await ours.fetch(first, LIMITS)
            newer = await asyncio.gather(*(ours.fetch(second, LIMITS) for _ in range(5)))
            assert {b"[2]"} == {found.data for found in newer}
            assert ["GET"] == calls
            gone = ObjectEvent(lake.bucket, "raw/erp/gone.json", "ObjectCreated:Put")
            with pytest.raises(Permanent) as missing:
                await ours.fetch(gone, LIMITS)
            assert (ErrorCode.OBJECT_MISSING, ["GET"] * 2) == (missing.value.code, calls)
            assert by_sdk == await ours.fetch(first, LIMITS)  # it goes on
            assert ["GET"] * 2 == calls


async def test_an_object_that_was_overwritten_is_outdated_either_way(
    lake: Lake, settings: AwsSettings
) -> None:
    event = put(lake, b"[1]")
    async with open_client("s3", settings, 4) as client:
        ours = OurLake(client, lake.bucket)
        await ours.fetch(event, LIMITS)
        put(lake, b"[2]")
        unpinned = ObjectEvent(event.bucket, event.key, event.event_name, etag=event.etag)
        with pytest.raises(Outdated):
            await ours.fetch(unpinned, LIMITS)


async def test_a_service_in_trouble_is_left_to_the_sdk_for_a_while(
    lake: Lake, settings: AwsSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    event = put(lake, b"[1]")
    calls: list[str] = []
    async with open_client("s3", settings, 4) as client:
        ours = OurLake(client, lake.bucket)
        await ours.fetch(event, LIMITS)
        session = client._endpoint.http_session
        send = session.send

        async def broken(request: Any) -> Any:
            monkeypatch.setattr(session, "send", send)
            raise ConnectionResetError

        monkeypatch.setattr(session, "send", broken)
        with counted(client, calls):
            assert b"[1]" == (await ours.fetch(event, LIMITS)).data
            assert b"[1]" == (await ours.fetch(event, LIMITS)).data
        assert ["GET"] * 2 == calls


async def test_the_sdk_keeps_its_connections_and_credentials_where_we_look(
    settings: AwsSettings,
) -> None:
    """Otherwise every object would be read in the dear way, and nobody would notice."""
    async with open_client("s3", settings, 4) as client:
        assert DirectGet(client)._insides
