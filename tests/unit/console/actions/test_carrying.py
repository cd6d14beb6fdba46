"""One action that cannot go on does not keep others from it."""

from types import SimpleNamespace
from typing import Any

import pytest

from console.actions.carrying import Carrier
from consumer.errors import DatabaseUnavailable

FAULTS = [RuntimeError("a bug"), DatabaseUnavailable("it does not answer")]


@pytest.mark.parametrize("fault", FAULTS, ids=["bug", "outage"])
async def test_an_action_that_fails_leaves_the_next_one_its_turn(
    fault: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    carried: list[int] = []

    async def rows(name: str) -> list[dict[str, Any]]:
        assert "find_unfinished" == name
        return [{"action_id": number, "kind": "replay"} for number in (1, 2)]

    async def carry_out(self: Carrier, number: int, kind: str) -> None:
        if number == 1:
            raise fault
        carried.append(number)

    monkeypatch.setattr(Carrier, "_carry_out_alone", carry_out)
    servers: Any = SimpleNamespace(database=SimpleNamespace(rows=rows))
    await Carrier(servers, servers)._carry_out_all()
    assert [2] == carried
