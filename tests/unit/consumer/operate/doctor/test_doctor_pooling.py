"""Whether a pooler in front takes sessions away between transactions."""

from types import SimpleNamespace
from typing import Any, Self

import pytest

from consumer.operate.doctor import database
from tests.support.doctor_facts import settings


class Session:
    """A session as its client sees it: the process it was told, and those it meets."""

    def __init__(self, told: int, *met: int) -> None:
        self.info = SimpleNamespace(backend_pid=told)
        self._met = list(met)

    async def execute(self, statement: str) -> "Session":
        assert "pg_backend_pid" in statement
        return self

    async def fetchone(self) -> tuple[int]:
        return (self._met.pop(0),)

    def transaction(self) -> "Session":
        return self

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._met == []


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        # No pooler: we meet the process that we were told of.
        (Session(7, 7), Session(0), False),
        # A pooler by session: told a number of its own, we stay with our process.
        (Session(900, 7, 7), Session(901, 8), False),
        # By transaction: the idle process goes to whoever asks next, …
        (Session(900, 7), Session(901, 7), True),
        # … or we get another one.
        (Session(900, 7, 9), Session(901, 8), True),
    ],
)
async def test_a_session_that_others_may_have_is_pooled_by_transaction(
    monkeypatch: pytest.MonkeyPatch, first: Any, second: Any, *, expected: bool
) -> None:
    monkeypatch.setattr(database, "open_session", lambda _settings: second)
    assert expected == await database._is_pooled_by_transaction(first, settings())
