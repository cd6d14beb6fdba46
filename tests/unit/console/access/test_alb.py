"""What an Application Load Balancer signs, verified with real keys."""

import base64
import json
import time
from collections import Counter
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from starlette.requests import HTTPConnection

from console.access.alb import Balancer, LoadBalancer, keys_url
from console.access.identities import Identity, NotProven

ARN = (
    "arn:aws:elasticloadbalancing:eu-west-1:123456789012:loadbalancer/app/console/0123456789abcdef"
)
ISSUER, CLIENT = "https://login.example.com/v2.0", "client-1"
KEY_ID = "0f4f5e0a-1111-4222-8333-123456789abc"
KEY, OTHER = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())


def pem(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


class KeyServer:
    """The region's public keys, and how often each was asked for."""

    def __init__(self, **keys: bytes) -> None:
        self.keys = {KEY_ID: pem(KEY)} | keys
        self.asked: Counter[str] = Counter()

    async def fetch(self, key_id: str) -> bytes:
        self.asked[key_id] += 1
        if key_id not in self.keys:
            raise ValueError("there is no such key")
        return self.keys[key_id]


def header(**other: Any) -> dict[str, Any]:
    told = {"typ": "JWT", "kid": KEY_ID, "alg": "ES256", "iss": ISSUER, "client": CLIENT}
    return told | {"signer": ARN, "exp": int(time.time()) + 120} | other


def claims(**other: Any) -> dict[str, Any]:
    told = {"sub": "s-1", "email": "Ana@example.com", "iss": ISSUER}
    return told | {"exp": int(time.time()) + 120} | other


def signed(
    head: dict[str, Any], body: dict[str, Any], key: ec.EllipticCurvePrivateKey = KEY
) -> str:
    """Sign as the load balancer does: with `=` at the end of each part."""
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()) for part in (head, body)]
    mark = jwt.get_algorithm_by_name("ES256").sign(b".".join(parts), key)
    return b".".join((*parts, base64.urlsafe_b64encode(mark))).decode()


async def seen_as(
    token: str | list[str], server: KeyServer | None = None, operators: tuple[str, ...] = ()
) -> Identity:
    values = [token] if isinstance(token, str) else token
    raw = [(b"x-amzn-oidc-data", one.encode()) for one in values]
    raw += [(b"x-amzn-oidc-identity", b"root"), (b"x-amzn-oidc-accesstoken", b"x")]
    doors = LoadBalancer(Balancer(ARN, CLIENT, ISSUER), operators, (server or KeyServer()).fetch)
    return await doors.identify(HTTPConnection({"type": "http", "headers": raw, "path": "/"}))


@pytest.mark.parametrize("padding", ["", "x", "xx", "xxx"])
async def test_what_the_load_balancer_signed_says_who_it_is(padding: str) -> None:
    token = signed(header(pad=padding), claims(pad=padding))
    found = await seen_as(token, operators=("ana@example.com",))
    assert Identity("Ana@example.com", is_operator=True) == found


async def test_a_subject_may_be_named_as_operator_too() -> None:
    assert (await seen_as(signed(header(), claims()), operators=("s-1",))).is_operator
    assert not (await seen_as(signed(header(), claims()), operators=("s-2",))).is_operator


@pytest.mark.parametrize("proven", [False, "false"])
async def test_an_address_that_is_not_proven_is_nobody_s(proven: object) -> None:
    """Some providers let people write any address into their profile."""
    token = signed(header(), claims(email_verified=proven))
    found = await seen_as(token, operators=("ana@example.com",))
    assert Identity("s-1", is_operator=False) == found


async def test_without_an_address_the_subject_is_shown() -> None:
    told = claims()
    del told["email"]
    assert "s-1" == (await seen_as(signed(header(), told))).name


async def refused(token: str | list[str], server: KeyServer | None = None) -> None:
    with pytest.raises(NotProven):
        await seen_as(token, server)


@pytest.mark.parametrize(
    "other",
    [
        {"signer": ARN.replace("console", "theirs")},
        {"signer": None},
        {"client": "client-2"},
        {"iss": "https://evil.example"},
        {"exp": int(time.time()) - 60},
        {"exp": None},
        {"exp": "soon"},
        {"kid": None},
        {"kid": "../../evil"},
        {"kid": KEY_ID.upper()},
        {"kid": KEY_ID + "\n"},
        {"kid": [KEY_ID]},
        {"alg": "none"},
        {"alg": "HS256"},
        {"crit": ["b64"], "b64": False},
    ],
)
async def test_a_header_that_is_not_ours_is_refused(other: dict[str, Any]) -> None:
    """Before its key is asked for: a key's id becomes part of a URL."""
    server = KeyServer()
    await refused(signed(header(**other), claims()), server)
    assert set(server.asked) <= {KEY_ID}


@pytest.mark.parametrize(
    "other",
    [{"exp": int(time.time()) - 60}, {"iss": "https://evil.example"}, {"sub": None}, {"exp": "x"}],
)
async def test_claims_that_are_not_ours_are_refused(other: dict[str, Any]) -> None:
    await refused(signed(header(), claims(**other)))


async def test_another_s_signature_is_refused() -> None:
    await refused(signed(header(), claims(), OTHER))
    good = signed(header(), claims())
    head, body, mark = good.split(".")
    forged = base64.urlsafe_b64encode(json.dumps(claims(email="root@example.com")).encode())
    await refused(f"{head}.{forged.decode()}.{mark}")
    await refused(f"{head}.{body}.")
    await refused(f"{head}.{body}")


async def test_a_public_key_is_no_secret_to_sign_with() -> None:
    """The classic mix-up: HS256 with the PEM as its key; and no algorithm at all."""
    with pytest.raises(NotProven):
        await seen_as(
            jwt.encode(claims(), "x" * 32, algorithm="HS256", headers=header(alg="HS256"))
        )
    await refused(jwt.encode(claims(), None, algorithm="none", headers=header(alg="none")))


@pytest.mark.parametrize("token", ["", ".", "..", "a.b.c", "é", "x" * 20_000, "=.=.="])
async def test_nonsense_is_refused(token: str) -> None:
    await refused(token.encode("utf-8").decode("latin-1"))


async def test_two_words_are_none() -> None:
    """A header that the visitor sent, beside the load balancer's own."""
    good = signed(header(), claims())
    await refused([good, good])
    await refused([])


async def test_a_key_is_fetched_once_and_one_that_there_is_not_is_not_asked_for_again() -> None:
    server, unknown = KeyServer(), KEY_ID.replace("0f", "aa")
    doors = LoadBalancer(Balancer(ARN, CLIENT, ISSUER), (), server.fetch)

    async def ask(token: str) -> None:
        raw = [(b"x-amzn-oidc-data", token.encode())]
        await doors.identify(HTTPConnection({"type": "http", "headers": raw, "path": "/"}))

    for _ in range(3):
        await ask(signed(header(), claims()))
        with pytest.raises(NotProven):
            await ask(signed(header(kid=unknown), claims()))
    assert {KEY_ID: 1, unknown: 1} == dict(server.asked)


@pytest.mark.parametrize(
    "data",
    [b"", b"<html>", pem(rsa.generate_private_key(65537, 2048))],
    ids=["none", "html", "rsa"],
)
async def test_what_is_no_key_of_a_load_balancer_is_refused(data: bytes) -> None:
    server = KeyServer()
    server.keys[KEY_ID] = data
    await refused(signed(header(), claims()), server)


def test_keys_are_where_aws_publishes_them() -> None:
    """Elastic Load Balancing, "Authenticate users", regional endpoints."""
    assert "https://public-keys.auth.elb.eu-west-1.amazonaws.com/" == keys_url(ARN)
    gov = ARN.replace("arn:aws:", "arn:aws-us-gov:").replace("eu-west-1", "us-gov-west-1")
    assert (
        "https://s3-us-gov-west-1.amazonaws.com/aws-elb-public-keys-prod-us-gov-west-1/"
        == keys_url(gov)
    )
    china = ARN.replace("arn:aws:", "arn:aws-cn:").replace("eu-west-1", "cn-north-1")
    assert "https://public-keys.auth.elb.cn-north-1.amazonaws.com.cn/" == keys_url(china)
