"""Small objects read by requests that are signed here, over the SDK's own connections.

More than half of what a small message costs is the SDK's way through models, endpoint rules, events
and parsers for one GET. The first object of a bucket is read by the SDK, and its request tells what
matters: address, region, kind of signature. Those that follow are written after that pattern, with
the SDK's credentials, connections, proxies and CA bundle. Whatever is not answered as usual is left
to the SDK, which asks again: errors, retries, redirects and throttling are its business alone, and
so are signatures of another kind (S3 Express, multi-region access points, no credentials).
"""

import base64
import hashlib
import hmac
import re
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from botocore.awsrequest import AWSPreparedRequest
from botocore.compat import HTTPHeaders

from runtime.aws_errors import AWS_ERRORS

if TYPE_CHECKING:
    from types_aiobotocore_s3 import S3Client

_OK, _TOO_MANY, _SERVER_ERRORS = 200, 429, 500
_ABOUT_OBJECT = frozenset({403, 404})
_PAUSE_SECONDS = 30.0  # for a service in trouble is not to be asked twice as often
_NOTHING = hashlib.sha256(b"").hexdigest()
_SIGNED = re.compile(r"AWS4-HMAC-SHA256 Credential=[^,]+/\d{8}/(?P<region>[^/,]+)/s3/aws4_request,")
_USUAL = frozenset(
    {"x-amz-checksum-mode", "x-amz-content-sha256", "x-amz-date", "x-amz-security-token"}
)
_DEFAULT_PORTS = {"http": ":80", "https": ":443"}
# Those that the SDK verifies in Python.
_CHECKSUMS: Mapping[str, Callable[[bytes], bytes]] = {
    "x-amz-checksum-crc32": lambda data: zlib.crc32(data).to_bytes(4, "big"),
    "x-amz-checksum-sha1": lambda data: hashlib.sha1(data, usedforsecurity=False).digest(),
    "x-amz-checksum-sha256": lambda data: hashlib.sha256(data).digest(),
}

_sent: ContextVar[list[AWSPreparedRequest] | None] = ContextVar("sdk_requests", default=None)


@dataclass(frozen=True, slots=True)
class Pattern:
    """How the SDK reaches the objects of a bucket."""

    origin: str  # scheme, host and port
    folder: str  # of the path, before the key
    region: str
    user_agent: str

    @property
    def host(self) -> str:
        """The Host header: without the scheme's own port."""
        scheme, _, host = self.origin.partition("://")
        return host.removesuffix(_DEFAULT_PORTS.get(scheme, ""))


@dataclass(frozen=True, slots=True)
class Answer:
    """An object read whole, told in the SDK's words."""

    told: Mapping[str, Any]
    data: bytes


class DirectGet:
    """Reads small objects for one client; remembers patterns by bucket."""

    def __init__(self, client: "S3Client") -> None:
        self._patterns: dict[str, Pattern] = {}
        self._paused_until = 0.0
        self._insides = _insides(client)
        client.meta.events.register("before-send.s3.GetObject", _note)

    @contextmanager
    def learning(self, bucket: str, key: str) -> Iterator[None]:
        """Learn from the SDK's request in the block, if that succeeds."""
        sent: list[AWSPreparedRequest] = []
        token = _sent.set(sent)
        try:
            yield
        finally:
            _sent.reset(token)
        pattern = pattern_of(sent[-1], key) if sent else None
        if pattern and self._insides:
            self._patterns[bucket] = pattern

    async def get(
        self, bucket: str, key: str, version_id: str | None, max_bytes: int
    ) -> Answer | None:
        """Read an object of at most `max_bytes`; None when the SDK is to do it. Never raises."""
        pattern = self._patterns.get(bucket)
        if pattern is None or self._insides is None or time.monotonic() < self._paused_until:
            return None
        session, credentials = self._insides
        try:
            keys = await credentials.get_frozen_credentials()
            response = await session.send(
                signed_get(pattern, key, version_id, keys, datetime.now(UTC))
            )
            try:
                if response.status_code != _OK:
                    self._refused(bucket, response.status_code)
                    return None
                told = _told(response.headers)
                if told["ContentLength"] > max_bytes:
                    return None
                data = await response.raw.read()
            finally:
                response.raw.release()
        except (*AWS_ERRORS, KeyError, ValueError):
            self._paused_until = time.monotonic() + _PAUSE_SECONDS
            return None
        return Answer(told, data) if _is_sound(response.headers, told, data) else None

    def _refused(self, bucket: str, status: int) -> None:
        if status >= _SERVER_ERRORS or status == _TOO_MANY:
            self._paused_until = time.monotonic() + _PAUSE_SECONDS
        elif (
            status not in _ABOUT_OBJECT
        ):  # moved, or another signature is wanted: the SDK finds out
            self._patterns.pop(bucket, None)


def pattern_of(request: AWSPreparedRequest, key: str) -> Pattern | None:
    """Return the pattern of an SDK's GET; None if it holds anything that is not as usual."""
    headers = {name.lower(): _text(value) for name, value in request.headers.items()}
    signed = _SIGNED.match(headers.get("authorization", ""))
    special = {name for name in headers if name.startswith("x-amz-")} - _USUAL
    url, name = urlsplit(request.url), _quoted(key)
    if signed is None or special or not url.path.endswith(f"/{name}"):
        return None
    folder = url.path.removesuffix(name)
    user_agent = headers.get("user-agent", "")
    return Pattern(f"{url.scheme}://{url.netloc}", folder, signed["region"], user_agent)


def signed_get(
    pattern: Pattern, key: str, version_id: str | None, keys: Any, now: datetime
) -> AWSPreparedRequest:
    """Return a GET with its signature (S3 API Reference, "Signature Version 4", header-based).

    Args:
        pattern: How the bucket is reached.
        key: The object's, raw.
        version_id: None for whatever lies there now.
        keys: Frozen credentials: `access_key`, `secret_key`, `token`.
        now: In UTC.
    """
    path = pattern.folder + _quoted(key)
    query = f"versionId={quote(version_id, safe='-_.~')}" if version_id else ""
    stamp = now.strftime("%Y%m%dT%H%M%SZ")
    headers = {
        "host": pattern.host,
        "x-amz-checksum-mode": "ENABLED",
        "x-amz-content-sha256": _NOTHING,
        "x-amz-date": stamp,
    }
    if keys.token:
        headers["x-amz-security-token"] = keys.token
    names = ";".join(headers)
    lines = "".join(f"{name}:{value}\n" for name, value in headers.items())
    canonical = f"GET\n{path}\n{query}\n{lines}\n{names}\n{_NOTHING}"
    scope = f"{stamp[:8]}/{pattern.region}/s3/aws4_request"
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    to_sign = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{digest}"
    signature = hmac.new(
        _signing_key(keys.secret_key, stamp[:8], pattern.region), to_sign.encode(), "sha256"
    ).hexdigest()
    headers["user-agent"] = pattern.user_agent
    headers["authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={keys.access_key}/{scope}, SignedHeaders={names}, "
        f"Signature={signature}"
    )
    url = f"{pattern.origin}{path}" + (f"?{query}" if query else "")
    told = HTTPHeaders.from_dict(headers)
    return AWSPreparedRequest("GET", url, told, None, stream_output=True)


@lru_cache(maxsize=8)
def _signing_key(secret: str, day: str, region: str) -> bytes:
    key = f"AWS4{secret}".encode()
    for part in (day, region, "s3", "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key


def _insides(client: Any) -> tuple[Any, Any] | None:
    """Return the client's HTTP session and its credentials; None if the SDK keeps none there."""
    try:
        # Its own, or proxies, CA bundles and refreshed credentials would have to be found anew.
        session, credentials = client._endpoint.http_session, client._request_signer._credentials  # noqa: SLF001
    except AttributeError:
        return None
    return (session, credentials) if credentials else None


def _note(request: AWSPreparedRequest, **_: Any) -> None:
    sent = _sent.get()
    if sent is not None:
        sent.append(request)


def _quoted(key: str) -> str:
    return quote(key, safe="/~")


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value


def _told(headers: Mapping[str, str]) -> dict[str, Any]:
    """Return what `get_object` would tell of these headers, as far as it is asked for."""
    return {
        "ContentLength": int(headers["content-length"]),
        "ETag": headers["etag"],
        "LastModified": parsedate_to_datetime(headers["last-modified"]),
        "VersionId": headers.get("x-amz-version-id"),
        "ContentEncoding": headers.get("content-encoding"),
    }


def _is_sound(headers: Mapping[str, str], told: Mapping[str, Any], data: bytes) -> bool:
    """Say whether all bytes came, and the ones that S3 summed up."""
    if len(data) != told["ContentLength"]:
        return False
    for name, digest in _CHECKSUMS.items():
        expected = headers.get(name)
        # One with a dash sums up the parts of an upload, not the object.
        if expected and "-" not in expected:
            return base64.b64encode(digest(data)).decode() == expected
    return True
