"""An ERP that answers a pull as scripted, and a pull of a plan from it."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

from producer.errors import ErpError
from producer.pulling.answers import Answer, read_answer
from producer.pulling.pull import PullOptions, pull
from producer.pulling.targets import Plan, PullTarget, make_plan
from producer.settings import Settings
from producer.tally import Tally
from tests.support.producer_fakes import FakeLake

FIRST, LAST = date(2024, 2, 28), date(2024, 3, 1)
PULLED_AT = datetime(2024, 3, 22, 4, 5, 6, 789, tzinfo=UTC)
ONE_TARGET = make_plan(FIRST, FIRST, ("1",), ("getGuestChecks",))


class ScriptedErp:
    """Answers every question with a document, except where told otherwise."""

    def __init__(self, failures: Mapping[str, ErpError | bytes] | None = None) -> None:
        self.failures = failures or {}
        self.asked: list[tuple[str, str, date]] = []
        self.pulled_at = PULLED_AT

    async def ask(self, target: PullTarget) -> Answer:
        """Note the question and answer it as scripted."""
        self.asked.append((target.endpoint.name, target.store_id, target.bus_dt))
        told = self.failures.get(target.store_id, b'{"busDt": null}')
        if isinstance(told, ErpError):
            raise told
        answer = Answer(told, "application/json", self.pulled_at, 0.0126)
        read_answer(answer, target)
        return answer


async def run(
    plan: Plan,
    erp: ScriptedErp,
    lake: FakeLake,
    *,
    concurrency: int = 2,
    stop_after: int = 50,
    gzip: bool = False,
    **changed: Any,
) -> Tally:
    """Pull a plan from the ERP into the lake."""
    tally = Tally(plan.target_count)
    settings = Settings.model_construct(
        pull_concurrency=concurrency,
        pull_stop_after_failures=stop_after,
        pull_skip_after_failures=1000,
        pull_gzip=gzip,
    )
    await pull(plan, erp.ask, lake, tally, PullOptions(settings, **changed))
    return tally
