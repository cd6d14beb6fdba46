"""Seals: what we hand out and want back unchanged, for a time. Plans and log-ins are sealed."""

import base64
import hmac
import json
import secrets
import time
from collections.abc import Callable, Mapping
from typing import Any

_LONGEST = 4096  # characters of a seal that is looked at

Clock = Callable[[], float]


class Sealer:
    """Seals values for one purpose: a sealed log-in is never taken for a plan."""

    def __init__(self, key: bytes, purpose: str, clock: Clock = time.time) -> None:
        self._key = hmac.digest(key, purpose.encode(), "sha256")
        self._clock = clock

    def seal(self, value: Mapping[str, Any], seconds: float) -> str:
        """Return a value as text that `open` takes for so many seconds; no two are equal."""
        told = {**value, "until": self._clock() + seconds, "nonce": secrets.token_hex(8)}
        body = _text(json.dumps(told, sort_keys=True).encode())
        return f"{body}.{_text(self._mark(body))}"

    def open(self, sealed: str) -> dict[str, Any] | None:
        """Return what was sealed; None if it was changed, or its time is over."""
        body, _, mark = sealed.partition(".")
        if len(sealed) > _LONGEST or not sealed.isascii():
            return None
        if not hmac.compare_digest(_text(self._mark(body)), mark):
            return None
        value: dict[str, Any] = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
        return value if value["until"] > self._clock() else None

    def _mark(self, body: str) -> bytes:
        return hmac.digest(self._key, body.encode(), "sha256")


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
