"""Tokens: sent as a bearer's by programs; people write one into a form once and get a cookie."""

import hashlib
import hmac
from collections.abc import Collection, Mapping

from starlette.requests import HTTPConnection

from console.access.identities import Identity, NotProven, identity
from console.access.sealing import Sealer

COOKIE = "console_session"
SESSION_SECONDS = 12 * 3600


class Tokens:
    """Knows visitors by a token or by the session that one has opened."""

    def __init__(
        self, tokens: Mapping[str, str], operators: Collection[str], sealer: Sealer
    ) -> None:
        self._digests = {name: _digest(token) for name, token in tokens.items()}
        self._operators = operators
        self._sealer = sealer

    async def identify(self, connection: HTTPConnection) -> Identity:
        """Return who sent a request; raises NotProven."""
        scheme, _, token = connection.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            name = self.name_of(token.strip())
        else:
            name = self._name_of_session(connection.cookies.get(COOKIE, ""))
        if name is None:
            raise NotProven("a token of the console is needed")
        return identity((name,), self._operators)

    def name_of(self, token: str) -> str | None:
        """Return the name of a token; takes as long whichever it is, or none."""
        digest, found = _digest(token), None
        for name, known in self._digests.items():
            if hmac.compare_digest(digest, known):
                found = name
        return found

    def session(self, name: str) -> str:
        """Return the cookie of a session; it ends with its time, or when the token changes."""
        mark = self._digests[name].hex()[:16]
        return self._sealer.seal({"name": name, "token": mark}, SESSION_SECONDS)

    def _name_of_session(self, cookie: str) -> str | None:
        told = self._sealer.open(cookie) or {}
        name = told.get("name")
        known = self._digests.get(name) if isinstance(name, str) else None
        return name if known and known.hex()[:16] == told.get("token") else None


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
