"""What `consumer dlq` does: looks, replays and purges; written down if a database answers."""

from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

from consumer.aws.clients import soon
from consumer.aws.sqs import Depth, Queues, open_queues
from consumer.operate.dlq import queue as dead_letter_queue
from consumer.operate.dlq.dead_letters import DeadLetter, Filters
from consumer.operate.dlq.record import PURGED, REPLAYED, open_record
from consumer.operate.dlq.replay_results import ReplayResult, follow, open_ledger
from consumer.settings import DatabaseSettings, LakeSettings
from runtime.terminal import progress, tell


@dataclass(frozen=True, slots=True)
class Deed:
    """What is done to which dead letters, and why."""

    lake: LakeSettings
    database: DatabaseSettings
    filters: Filters
    reason: str | None


@asynccontextmanager
async def _open(lake: LakeSettings) -> AsyncIterator[tuple[Queues, Depth]]:
    """Open the queues and count the dead letters."""
    async with open_queues(lake) as queues:
        yield queues, await soon(queues.dead.depth(), f"asking about {lake.dlq_url}")


def _tell_hidden(depth: Depth) -> None:
    if hidden := depth.in_flight + depth.delayed:
        why = "another command reads them, or was killed while it did"
        tell(f"{hidden} dead letters are invisible now: {why}. Run this again in a minute.")


async def present(lake: LakeSettings, database: DatabaseSettings) -> list[DeadLetter]:
    """Return all dead letters: by the tables, if they agree with the queue.

    If they do not, by a look: it receives the messages, and the tables learn what it saw.

    Raises:
        ConsumerError: SQS could not be asked.
    """
    async with _open(lake) as (queues, depth), open_record(database) as record:
        if (known := await record.present(depth)) is not None:
            return known
        _tell_hidden(depth)
        began_at = datetime.now(UTC)
        async with aclosing(dead_letter_queue.select(queues.dead, Filters())) as groups:
            found = [dead_letter async for group in groups for dead_letter in group]
        is_complete = depth.visible == depth.total
        await record.learn(found, began_at, is_complete=is_complete)
        return found


async def select(lake: LakeSettings, filters: Filters) -> list[DeadLetter]:
    """Look at the queue; return what matches.

    Raises:
        ConsumerError: SQS could not be asked.
    """
    async with (
        _open(lake) as (queues, depth),
        aclosing(dead_letter_queue.select(queues.dead, filters)) as matching,
    ):
        _tell_hidden(depth)
        return [dead_letter async for group in matching for dead_letter in group]


async def replay(
    deed: Deed, rate: float | None, timeout: int | None, results: list[ReplayResult]
) -> None:
    """Replay and, given a timeout, wait; `results` learns what was done, whatever happens."""
    async with (
        _open(deed.lake) as (queues, depth),
        # Before anything is moved: what commits from now on is new.
        nullcontext() if timeout is None else open_ledger(deed.database) as ledger,
        open_record(deed.database) as record,
    ):
        _tell_hidden(depth)
        async with record.action("replay", deed.filters, deed.reason) as action:
            before = partial(action.plan, state=REPLAYED)
            moving = dead_letter_queue.move(queues.dead, deed.filters, queues.main, rate, before)
            with progress("replaying", int(min(depth.total, deed.filters.most))) as advance:
                async with aclosing(moving):
                    async for dead_letter in moving:
                        results.append(ReplayResult(dead_letter))
                        await action.done(dead_letter, REPLAYED)
                        advance(len(results))
        if ledger is not None and timeout is not None:
            with progress("waiting", len(results)) as advance:
                async for ended in follow(results, ledger, queues.main, timeout):
                    advance(ended)


async def purge(deed: Deed, purged: list[DeadLetter]) -> None:
    """Delete for good; `purged` learns what was deleted, whatever happens."""
    async with (
        _open(deed.lake) as (queues, depth),
        open_record(deed.database) as record,
        record.action("purge", deed.filters, deed.reason) as action,
        aclosing(
            dead_letter_queue.purge(queues.dead, deed.filters, partial(action.plan, state=PURGED))
        ) as deleted,
    ):
        _tell_hidden(depth)
        with progress("purging", int(min(depth.total, deed.filters.most))) as advance:
            async for dead_letter in deleted:
                purged.append(dead_letter)
                await action.done(dead_letter, PURGED)
                advance(len(purged))
