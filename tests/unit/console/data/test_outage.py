"""A server that is down costs the first visitor a wait, and the others a moment."""

import asyncio
import time

import pytest

from console.data.outage import Outage
from consumer.errors import DatabaseUnavailable


class Server:
    """Counts how often it was asked; down unless told otherwise."""

    def __init__(self) -> None:
        self.up, self.seconds, self.asked_count = False, 0.0, 0

    async def ask(self) -> None:
        self.asked_count += 1
        await asyncio.sleep(self.seconds)
        if not self.up:
            raise DatabaseUnavailable(f"down, {self.asked_count}")


def broken(server: Server) -> Outage:
    outage = Outage(server.ask)
    outage.begin(DatabaseUnavailable("down"))
    return outage


async def test_nobody_is_asked_while_nothing_is_wrong() -> None:
    server = Server()
    await Outage(server.ask).check()
    assert 0 == server.asked_count


async def test_who_comes_meanwhile_is_told_at_once_and_why_by_now() -> None:
    with pytest.raises(DatabaseUnavailable, match="down, 1"):
        await broken(Server()).check()


async def test_a_server_that_is_silent_is_waited_for_a_moment_and_asked_once_for_all() -> None:
    server = Server()
    server.seconds = 60
    outage, began = broken(server), time.monotonic()
    told = await asyncio.gather(*(outage.check() for _ in range(5)), return_exceptions=True)
    assert ["down"] * 5 == [str(one) for one in told]
    assert time.monotonic() - began < 2
    assert 1 == server.asked_count
    await outage.close()


async def test_a_server_that_is_up_again_is_noticed_by_the_next_visitor() -> None:
    server = Server()
    outage = broken(server)
    server.up = True
    await outage.check()
    await outage.check()
    assert 1 == server.asked_count
