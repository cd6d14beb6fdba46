"""The data lake on S3: reading announced objects, writing error logs."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from consumer.aws.clients import asking, mapped_read
from consumer.aws.direct_get import DirectGet
from consumer.errors import Permanent, StorageUnavailable
from consumer.metrics import OBJECT_BYTES
from consumer.settings import LakeSettings
from consumer.spool import Spool
from runtime.aws_clients import open_client
from runtime.aws_errors import AWS_ERRORS
from schemas.codes import ErrorCode
from schemas.envelopes import ObjectEvent

if TYPE_CHECKING:
    from aiobotocore.response import StreamingBody
    from types_aiobotocore_s3 import S3Client
    from types_aiobotocore_s3.type_defs import GetObjectOutputTypeDef, GetObjectRequestTypeDef

    _Told = GetObjectOutputTypeDef | Mapping[str, Any]

_CHUNK_BYTES = 256 * 1024
_SMALL_BYTES = 1 << 20  # of larger objects the request is a small part of the work
_GZIP_RATIO = 16  # JSON of this kind shrinks to about a tenth


@dataclass(frozen=True, slots=True)
class StoredObject:
    """An object as S3 returned it, in a spool if it is large; `etag` is unquoted."""

    data: bytes | Spool
    etag: str
    version_id: str | None
    last_modified: datetime


@dataclass(frozen=True, slots=True)
class ReadLimits:
    """How much may be read of an object."""

    max_bytes: int  # as stored
    memory_bytes: int  # largest document, decompressed, that is held in memory
    budgeted_bytes: int  # how much room was taken for it


class Larger(Exception):
    """The object takes more room than was taken for it; nothing of it was read."""

    def __init__(self, held_bytes: int) -> None:
        super().__init__(f"{held_bytes} bytes are needed")
        self.held_bytes = held_bytes


class Outdated(Exception):
    """The object was overwritten since the event; the newer write has an event of its own."""


@asynccontextmanager
async def open_lake(settings: LakeSettings, connections: int) -> AsyncIterator["Lake"]:
    """Hold a client for the bucket while the block runs; connects on first use."""
    async with open_client("s3", settings, connections) as client:
        yield Lake(client, settings.bucket_name)


class Lake:
    """One bucket; every call raises `Transient` when S3 cannot answer, throttles or refuses us."""

    def __init__(self, client: "S3Client", bucket: str) -> None:
        self._client = client
        self._bucket = bucket
        self._direct = DirectGet(client)
        # Read from disk now: nothing is opened while messages are worked on.
        self._listing = client.get_paginator("list_objects_v2")
        self._listing_versions = client.get_paginator("list_object_versions")

    async def fetch(self, event: ObjectEvent, limits: ReadLimits) -> StoredObject:
        """Read exactly the version that was announced; safe to repeat.

        Raises:
            Outdated: without versioning: what lies there now is not what was announced.
            Larger: it takes more room than was taken for it.
            Permanent: `object_missing`, `object_archived`, or `object_too_large` as stored.
            Transient: with `is_about_object` when the refusal may be about this object alone.
        """
        if (small := await self._fetch_directly(event, limits)) is not None:
            return small
        what = f"reading s3://{event.bucket}/{event.key}"
        request: GetObjectRequestTypeDef = {"Bucket": event.bucket, "Key": event.key}
        if event.version_id:
            request["VersionId"] = event.version_id
        try:
            with self._direct.learning(event.bucket, event.key):
                answer = await self._client.get_object(**request)
            # Leaving the body unread would leak its connection.
            async with answer["Body"] as body:
                length = answer["ContentLength"]
                spooled = _check(answer, event, limits)
                data = await _read(body, spooled=spooled)
        except AWS_ERRORS as error:
            raise mapped_read(error, what) from error
        arrived = data.byte_count if isinstance(data, Spool) else len(data)
        if arrived != length:
            raise StorageUnavailable(f"{what}: {arrived} of {length} bytes came")
        return _stored(data, answer, event)

    async def _fetch_directly(self, event: ObjectEvent, limits: ReadLimits) -> StoredObject | None:
        """Read a small object without the SDK; None when the SDK is to read it."""
        most = min(_SMALL_BYTES, limits.memory_bytes, limits.budgeted_bytes, limits.max_bytes)
        if (event.size_bytes or 0) > most:
            return None
        found = await self._direct.get(event.bucket, event.key, event.version_id, most)
        if found is None:
            return None
        data: bytes | Spool = found.data
        if _check(found.told, event, limits):
            data = Spool(_CHUNK_BYTES)
            data.append(found.data)
        return _stored(data, found.told, event)

    async def pages(self, prefix: str) -> AsyncIterator[list[ObjectEvent]]:
        """Yield the objects under a prefix, a page at a time, as events of their creation."""
        with asking(f"listing s3://{self._bucket}/{prefix}"):
            async for page in self._listing.paginate(Bucket=self._bucket, Prefix=prefix):
                yield [
                    ObjectEvent(
                        bucket=self._bucket,
                        key=found["Key"],
                        event_name="ObjectCreated:Reconciled",
                        etag=found["ETag"].strip('"'),
                        size_bytes=found["Size"],
                        event_time=found["LastModified"],
                    )
                    for found in page.get("Contents", [])
                ]

    async def versions(self, prefix: str) -> AsyncIterator[list[ObjectEvent]]:
        """Yield all that can still be read under a prefix, a page at a time: older versions too.

        A bucket without versions has one of each object, and no name for it.
        """
        with asking(f"listing versions of s3://{self._bucket}/{prefix}"):
            async for page in self._listing_versions.paginate(Bucket=self._bucket, Prefix=prefix):
                yield [
                    ObjectEvent(
                        bucket=self._bucket,
                        key=found["Key"],
                        event_name="ObjectCreated:Listed",
                        version_id=None if found["VersionId"] == "null" else found["VersionId"],
                        etag=found["ETag"].strip('"'),
                        size_bytes=found["Size"],
                        event_time=found["LastModified"],
                    )
                    for found in page.get("Versions", [])
                ]

    async def folders(self, prefix: str) -> list[str]:
        """Return the folders right under a prefix, by name; the last character of each is `/`."""
        names = []
        with asking(f"listing s3://{self._bucket}/{prefix}"):
            pages = self._listing.paginate(Bucket=self._bucket, Prefix=prefix, Delimiter="/")
            async for page in pages:
                found = page.get("CommonPrefixes", [])
                names += [one["Prefix"].removeprefix(prefix) for one in found]
        return names

    async def ping(self) -> None:
        """Return when the bucket answers."""
        with asking(f"asking for bucket {self._bucket}"):
            await self._client.head_bucket(Bucket=self._bucket)

    async def write_log(self, key: str, body: bytes) -> None:
        """Write an error log object, replacing the one a former attempt wrote."""
        with asking(f"writing s3://{self._bucket}/{key}"):
            await self._client.put_object(
                Bucket=self._bucket, Key=key, Body=body, ContentType="application/json"
            )

    async def read_log(self, key: str) -> bytes:
        """Read an error log object.

        Raises:
            Permanent: `object_missing`: there is none.
        """
        what = f"reading s3://{self._bucket}/{key}"
        try:
            answer = await self._client.get_object(Bucket=self._bucket, Key=key)
            async with answer["Body"] as body:
                return await body.read()
        except AWS_ERRORS as error:
            raise mapped_read(error, what) from error


def held_bytes(size_bytes: int, memory_bytes: int, *, packed: bool) -> int:
    """Return what an object of that size takes in memory, from its download to its commit.

    Of one that is read as a stream, not more than twice the limit is held, whatever its size.
    """
    return min(size_bytes * (_GZIP_RATIO if packed else 1), 2 * memory_bytes)


def _stored(data: bytes | Spool, answer: "_Told", event: ObjectEvent) -> StoredObject:
    OBJECT_BYTES.inc(data.byte_count if isinstance(data, Spool) else len(data))
    version = answer.get("VersionId")
    version_id = event.version_id if version in (None, "null") else version
    return StoredObject(data, _etag(answer), version_id, answer["LastModified"])


async def _read(body: "StreamingBody", *, spooled: bool) -> bytes | Spool:
    if not spooled:
        return b"".join([chunk async for chunk in body.iter_chunks(_CHUNK_BYTES)])
    spool = Spool(_CHUNK_BYTES)
    async for chunk in body.iter_chunks(_CHUNK_BYTES):
        spool.append(chunk)
    return spool


def _check(answer: "_Told", event: ObjectEvent, limits: ReadLimits) -> bool:
    """Check an answer before its body is read; say whether the body is one for a spool."""
    etag, length = _etag(answer), answer["ContentLength"]
    if event.version_id is None and event.etag is not None and etag != event.etag:
        raise Outdated(f"the object has ETag {etag} by now")
    if length > limits.max_bytes:
        raise Permanent(
            ErrorCode.OBJECT_TOO_LARGE,
            f"{length} bytes; split it or raise MAX_OBJECT_BYTES ({limits.max_bytes})",
        )
    packed = event.key.endswith(".gz") or answer.get("ContentEncoding") == "gzip"
    held = held_bytes(length, limits.memory_bytes, packed=packed)
    if held > limits.budgeted_bytes:
        raise Larger(held)
    return held > limits.memory_bytes


def _etag(answer: "_Told") -> str:
    return answer["ETag"].strip('"')
