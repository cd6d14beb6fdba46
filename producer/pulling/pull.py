"""Pulling: the way of one answer from the ERP into the lake."""

import asyncio
import gzip
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

import structlog

from producer.errors import AnswerRejected, ErpUnavailable, ProducerError
from producer.lake import Lake, LakeObject
from producer.pool import off_loop_if_large, work_through
from producer.pulling.answers import Answer
from producer.pulling.breakers import Breakers
from producer.pulling.content import CONTENT_DIGEST, content_digest
from producer.pulling.digests import Digests
from producer.pulling.history import BusinessDays, History, StoredAnswer
from producer.pulling.targets import Plan, PullTarget
from producer.settings import Settings
from producer.tally import Tally
from schemas.keys import api_key, pull_command

log = structlog.get_logger(__name__)

# Asks the ERP for one answer that may be stored, with retries; raises an ErpError without one.
Ask = Callable[[PullTarget], Awaitable[Answer]]


@dataclass(frozen=True, slots=True)
class PullOptions:
    """How a plan is pulled."""

    settings: Settings
    force: bool = False  # whether to ask for current answers too
    last_day_first: bool = False  # whether the last day comes before the others, which are history
    # Raises LeaseLost for a store that another producer may pull by now
    check_lease: Callable[[str], None] = lambda _store_id: None  # a pull by hand takes no leases
    digests: Digests = field(default_factory=Digests)  # outlives a round


async def pull(plan: Plan, ask: Ask, lake: Lake, tally: Tally, pull_options: PullOptions) -> None:
    """Pull every target that is not current in the lake; failures are counted in `tally`.

    An answer equal to the newest in the lake is not written; a new one replaces nothing.
    """
    one_pull = _Pull(plan, ask, lake, tally, pull_options)
    targets = plan.targets(last_day_first=pull_options.last_day_first)
    concurrency = pull_options.settings.pull_concurrency
    await work_through(targets, one_pull.pull_one, concurrency, tally)


class _Pull:
    def __init__(
        self, plan: Plan, ask: Ask, lake: Lake, tally: Tally, pull_options: PullOptions
    ) -> None:
        self._ask = ask
        self._lake = lake
        self._tally = tally
        self._options = pull_options
        self._settings = pull_options.settings
        self._days = BusinessDays(pull_options.settings)
        self._histories = {each.source: History(lake, each.source) for each in plan.endpoints}
        self._breakers = Breakers(self._settings.pull_skip_after_failures)

    async def pull_one(self, target: PullTarget) -> None:
        """Pull one target, and count what became of it."""
        if skipped := self._breakers.open_for(target):
            self._tally.add_skipped(skipped)
            return
        with structlog.contextvars.bound_contextvars(**target.subject()):
            try:
                await self._pull_one(target)
            except ProducerError as error:
                self._tally.add_failure(target.subject(), error)
                if isinstance(error, ErpUnavailable):
                    self._breakers.note_failure(target)
        missed_count = self._tally.missed_in_a_row
        if missed_count >= self._settings.pull_stop_after_failures:
            self._tally.stop(f"{missed_count} targets in a row failed: ERP or S3 may be down")

    async def _pull_one(self, target: PullTarget) -> None:
        # No await before this one: a history must be asked in the order of days.
        newest = await self._histories[target.endpoint.source].newest(
            target.bus_dt, target.store_id
        )
        if (
            newest
            and not self._options.force
            and self._days.is_current(newest.pulled_at, target.bus_dt, datetime.now(UTC))
        ):
            self._tally.add_present()
            return
        self._options.check_lease(target.store_id)
        answer = await self._ask(target)
        self._breakers.note_answer(target)
        self._options.check_lease(target.store_id)
        size_bytes = await self._store_unless_known(target, answer, newest)
        if answer.doubt is not None:
            raise AnswerRejected(
                f"stored, but {answer.doubt}; look the day up in the ERP, then run: "
                f"{pull_command(target.endpoint.source, target.bus_dt, target.store_id)}"
            )
        if size_bytes is None:
            self._tally.add_unchanged()
        else:
            self._tally.add_stored(size_bytes)

    async def _store_unless_known(
        self, target: PullTarget, answer: Answer, newest: StoredAnswer | None
    ) -> int | None:
        """Return the number of bytes stored; None if the newest answer in the lake is equal."""
        digest = await off_loop_if_large(len(answer.body), content_digest, answer.body)
        digests = self._options.digests
        if newest and await digests.of(self._lake, newest.key) == digest:
            return None
        key = api_key(target.endpoint.source, target.bus_dt, target.store_id, answer.pulled_at)
        metadata = {**_metadata(target, answer), CONTENT_DIGEST: digest}
        obj = LakeObject(key, answer.body, metadata)
        if self._settings.pull_gzip:
            # Without a time in the header, equal answers give equal bytes.
            packed = await asyncio.to_thread(gzip.compress, answer.body, mtime=0)
            obj = LakeObject(f"{key}.gz", packed, metadata, "gzip")
        await self._lake.put(obj)
        digests.note(obj.key, digest, instead_of=newest.key if newest else None)
        log.debug("answer_stored", key=obj.key, size_bytes=len(obj.body))
        return len(obj.body)


def _metadata(target: PullTarget, answer: Answer) -> dict[str, str]:
    return {
        "endpoint": target.endpoint.name,
        "store": target.store_id,
        "business-date": target.bus_dt.isoformat(),
        "pulled-at": answer.pulled_at.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "http-status": "200",
        "duration-ms": str(round(answer.duration_seconds * 1000)),
    }
