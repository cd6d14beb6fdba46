"""What an Application Load Balancer signs after its OIDC log-in: the header `x-amzn-oidc-data`.

A JSON Web Token, ES256, whose parts are padded with `=` (Elastic Load Balancing, "Authenticate
users"). `x-amzn-oidc-identity` is not signed and never read.
"""

import asyncio
import re
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from typing import Any

import aiohttp
import jwt
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from starlette.requests import HTTPConnection

from console.access.identities import Identity, NotProven, identity

_HEADER = "x-amzn-oidc-data"
_KEY_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_LEEWAY_SECONDS = 30
_KEYS_KEPT = 16
_REFUSED_SECONDS = 60.0  # a key that there is not is not asked for again at once
_FETCH_SECONDS = 5.0
_KEY_BYTES = 4096
_TOKEN_CHARACTERS = 16_384

FetchKey = Callable[[str], Awaitable[bytes]]


@dataclass(frozen=True, slots=True)
class Balancer:
    """The load balancer and the log-in whose word is taken."""

    arn: str
    client_id: str
    issuer: str


class LoadBalancer:
    """Knows visitors by what the load balancer signed for each of their requests."""

    def __init__(self, balancer: Balancer, operators: Collection[str], fetch: FetchKey) -> None:
        self._balancer = balancer
        self._operators = operators
        self._keys = _Keys(fetch)

    async def identify(self, connection: HTTPConnection) -> Identity:
        """Return who sent a request; raises NotProven."""
        sent = connection.headers.getlist(_HEADER)
        if len(sent) != 1 or len(sent[0]) > _TOKEN_CHARACTERS:
            raise NotProven("this did not come through the load balancer's log-in")
        try:
            header = jwt.get_unverified_header(sent[0])
            self._check_header(header)
            claims = jwt.decode(
                sent[0],
                await self._keys.get(str(header["kid"])),
                algorithms=["ES256"],
                issuer=self._balancer.issuer,
                leeway=_LEEWAY_SECONDS,
                # The client is in the header: this token has no audience.
                options={"require": ["exp", "iss", "sub"], "verify_aud": False},
            )
        except (jwt.PyJWTError, KeyError, TypeError, ValueError) as error:
            raise NotProven(f"the load balancer's word is not good: {error}") from error
        return identity(_names(claims), self._operators)

    def _check_header(self, header: dict[str, Any]) -> None:
        told = (header.get("alg"), header.get("signer"), header.get("client"), header.get("iss"))
        ours = ("ES256", self._balancer.arn, self._balancer.client_id, self._balancer.issuer)
        if told != ours:
            raise NotProven("it was signed for another load balancer, client or issuer")
        if float(header["exp"]) + _LEEWAY_SECONDS < time.time():
            raise NotProven("it has expired")
        if not _KEY_ID.fullmatch(str(header.get("kid"))):
            raise NotProven("it names no key of a load balancer")


def _names(claims: dict[str, Any]) -> list[str]:
    """Return e-mail and subject; an address that the provider says is unproven does not count."""
    subject, email = claims["sub"], claims.get("email")
    is_proven = claims.get("email_verified") not in (False, "false")
    return [one for one in (email if is_proven else None, subject) if isinstance(one, str) and one]


class _Keys:
    """Public keys by id: a few are kept, one is fetched at a time."""

    def __init__(self, fetch: FetchKey) -> None:
        self._fetch = fetch
        self._known: OrderedDict[str, EllipticCurvePublicKey] = OrderedDict()
        self._refused: OrderedDict[str, float] = OrderedDict()
        self._fetching = asyncio.Lock()

    async def get(self, key_id: str) -> EllipticCurvePublicKey:
        """Return a key; raises NotProven if there is none, or nobody says so in time."""
        async with self._fetching:
            if key_id not in self._known:
                self._known[key_id] = await self._fetched(key_id)
            self._known.move_to_end(key_id)
            if len(self._known) > _KEYS_KEPT:
                self._known.popitem(last=False)
            return self._known[key_id]

    async def _fetched(self, key_id: str) -> EllipticCurvePublicKey:
        if self._refused.get(key_id, 0) > time.monotonic():
            raise NotProven("its key is not known")
        try:
            key = load_pem_public_key(await self._fetch(key_id))
            if isinstance(key, EllipticCurvePublicKey):
                return key
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError):
            pass
        self._refused[key_id] = time.monotonic() + _REFUSED_SECONDS
        if len(self._refused) > _KEYS_KEPT:
            self._refused.popitem(last=False)
        raise NotProven("its key cannot be fetched; try again in a minute")


def keys_url(arn: str) -> str:
    """Return where the public keys of a load balancer's region are, up to the key's id."""
    _, partition, _, region, *_ = arn.split(":")
    if partition == "aws-us-gov":
        return f"https://s3-{region}.amazonaws.com/aws-elb-public-keys-prod-{region}/"
    domain = "amazonaws.com.cn" if partition == "aws-cn" else "amazonaws.com"
    return f"https://public-keys.auth.elb.{region}.{domain}/"


def fetch_from(base_url: str) -> FetchKey:
    """Return what fetches a key; the key's id was checked before it becomes part of a URL."""

    async def fetch(key_id: str) -> bytes:
        timeout = aiohttp.ClientTimeout(total=_FETCH_SECONDS)
        async with (
            aiohttp.ClientSession(timeout=timeout, trust_env=True) as session,
            session.get(base_url + key_id, allow_redirects=False) as answer,
        ):
            if answer.status != 200:
                raise ValueError(f"there is no key {key_id}")
            return await answer.content.read(_KEY_BYTES)

    return fetch
