"""What many watch is asked for once, and not at all while nobody watches."""

import asyncio
from collections.abc import AsyncGenerator

from console.web.shared import Shared
from console.web.streams import event_stream
from consumer.errors import DatabaseUnavailable

EVERY_SECONDS = 0.02


class Asked:
    """Tells numbers, and fails when it is told to."""

    def __init__(self, *failing: int) -> None:
        self.count = 0
        self.failing = failing

    async def __call__(self) -> str:
        self.count += 1
        if self.count in self.failing:
            raise DatabaseUnavailable("down")
        return str(self.count)


async def take(watching: AsyncGenerator[tuple[str, bool], None], count: int) -> list[str]:
    told = [(await anext(watching))[0] for _ in range(count)]
    await watching.aclose()
    return told


async def test_ten_watchers_are_told_the_same_and_it_is_asked_for_once() -> None:
    asked = Asked()
    shared = Shared(asked, EVERY_SECONDS)
    told = await asyncio.gather(*(take(shared.pieces(), 3) for _ in range(10)))
    assert [["1", "2", "3"]] * 10 == told
    assert 3 == asked.count


async def test_nobody_watching_nothing_is_asked_and_who_comes_later_is_told() -> None:
    asked = Asked()
    shared = Shared(asked, EVERY_SECONDS)
    await take(shared.pieces(), 1)
    assert 0 == shared.watchers
    await asyncio.sleep(3 * EVERY_SECONDS)
    count = asked.count
    await asyncio.sleep(3 * EVERY_SECONDS)
    assert count == asked.count <= 2
    assert 1 == len(await take(shared.pieces(), 1))


async def test_who_does_not_answer_is_asked_again() -> None:
    assert ["1", "4"] == await take(Shared(Asked(2, 3), EVERY_SECONDS).pieces(), 2)


async def test_a_stream_ends_when_the_console_is_told_to_stop() -> None:
    shared, stopping = Shared(Asked(), EVERY_SECONDS), asyncio.Event()
    stream = event_stream(shared.pieces(), stopping, 0)
    sent = []
    async for part in stream.body_iterator:
        sent.append(part)
        stopping.set()
    assert ["data: 1\n\n"] == sent
    assert 0 == shared.watchers
