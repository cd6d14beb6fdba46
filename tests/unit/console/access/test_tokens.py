"""Tokens and the sessions that they open."""

import pytest
from starlette.requests import HTTPConnection

from console.access.identities import NotProven
from console.access.sealing import Sealer
from console.access.tokens import COOKIE, SESSION_SECONDS, Tokens

ANA, RUI = "a" * 24, "r" * 24


class Clock:
    """A time that tests set."""

    now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


def tokens(clock: Clock, known: dict[str, str] | None = None, key: bytes = b"k" * 32) -> Tokens:
    return Tokens(known or {"ana": ANA, "rui": RUI}, ("Ana",), Sealer(key, "session", clock))


def request(**headers: str) -> HTTPConnection:
    raw = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
    return HTTPConnection({"type": "http", "headers": raw, "path": "/"})


async def test_a_token_says_who_sends_it_and_whether_they_may_act() -> None:
    known = tokens(Clock())
    ana = await known.identify(request(authorization=f"Bearer {ANA}"))
    rui = await known.identify(request(authorization=f"bearer {RUI}"))
    assert [("ana", True), ("rui", False)] == [(one.name, one.is_operator) for one in (ana, rui)]


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": ""},
        {"authorization": "Bearer "},
        {"authorization": f"Bearer {ANA}x"},
        {"authorization": f"Bearer {ANA[:-1]}"},
        {"authorization": f"Basic {ANA}"},
        {"authorization": "Bearer \xe9" * 20},
        {"cookie": f"{COOKIE}={ANA}"},
        {"cookie": f"{COOKIE}=.."},
        {"cookie": f"{COOKIE}=" + "x" * 9000},
        {"x-amzn-oidc-identity": "ana"},
    ],
)
async def test_whatever_else_is_sent_proves_nothing(headers: dict[str, str]) -> None:
    with pytest.raises(NotProven):
        await tokens(Clock()).identify(request(**headers))


async def test_a_session_lasts_half_a_day_and_as_long_as_its_token() -> None:
    clock = Clock()
    cookie = {"cookie": f"{COOKIE}={tokens(clock).session('ana')}"}
    assert "ana" == (await tokens(clock).identify(request(**cookie))).name
    for others in (
        tokens(clock, {"ana": "b" * 24}),
        tokens(clock, {"rui": ANA}),
        tokens(clock, key=b"x" * 32),
    ):
        with pytest.raises(NotProven):
            await others.identify(request(**cookie))
    clock.now += SESSION_SECONDS
    with pytest.raises(NotProven):
        await tokens(clock).identify(request(**cookie))


async def test_a_wrong_bearer_is_not_saved_by_a_session() -> None:
    """Who sends both means the token: a session is for pages."""
    clock = Clock()
    cookie = f"{COOKIE}={tokens(clock).session('ana')}"
    with pytest.raises(NotProven):
        await tokens(clock).identify(request(authorization="Bearer nonsense", cookie=cookie))


def test_a_seal_is_for_one_purpose_and_never_twice_the_same() -> None:
    clock = Clock()
    plans, sessions = Sealer(b"k", "plan", clock), Sealer(b"k", "session", clock)
    sealed = plans.seal({"what": "replay"}, 60)
    opened = plans.open(sealed)
    assert opened is not None
    assert "replay" == opened["what"]
    assert sessions.open(sealed) is None
    assert sealed != plans.seal({"what": "replay"}, 60)


@pytest.mark.parametrize("at", [0, 5, 20, -1, -20])
def test_a_seal_that_was_changed_is_not_opened(at: int) -> None:
    plans = Sealer(b"k", "plan", Clock())
    sealed = plans.seal({"what": "replay"}, 60)
    other = "A" if sealed[at] != "A" else "B"
    at %= len(sealed)
    assert plans.open(sealed[:at] + other + sealed[at + 1 :]) is None
    assert plans.open(sealed + "A") is None
    assert plans.open(f"{sealed.partition('.')[0]}.") is None
    assert plans.open("é.é") is None
    assert plans.open("") is None
