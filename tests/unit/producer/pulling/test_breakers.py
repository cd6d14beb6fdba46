"""A store or an endpoint that hangs does not hold up the others; today comes before history."""

from collections.abc import Callable
from datetime import date

from producer.errors import ErpUnavailable
from producer.pulling.answers import Answer
from producer.pulling.pull import PullOptions, pull
from producer.pulling.targets import Plan, PullTarget, make_plan
from producer.settings import Settings
from producer.tally import Tally
from schemas.registry import ENDPOINTS
from tests.support.producer_fakes import MODIFIED, FakeLake

FIRST, LAST = date(2024, 1, 1), date(2024, 1, 10)
OF_STORE = 10 * len(ENDPOINTS)
Hangs = Callable[[PullTarget], bool]


class HangingErp:
    """Answers all but what hangs."""

    def __init__(self, hangs: Hangs) -> None:
        self._hangs = hangs
        self.asked: list[PullTarget] = []

    async def ask(self, target: PullTarget) -> Answer:
        """Answer, or run into the timeout at once."""
        self.asked.append(target)
        if self._hangs(target):
            raise ErpUnavailable("no answer in time")
        return Answer(b"{}", "application/json", MODIFIED, 0.1)


async def pulled(plan: Plan, hangs: Hangs, *, concurrency: int = 1) -> tuple[Tally, HangingErp]:
    tally, erp = Tally(plan.target_count), HangingErp(hangs)
    settings = Settings.model_construct(pull_concurrency=concurrency, pull_stop_after_failures=1000)
    options = PullOptions(settings, force=True, last_day_first=True)
    await pull(plan, erp.ask, FakeLake(), tally, options)
    return tally, erp


async def test_a_hanging_store_is_left_after_a_few_failures_in_a_row() -> None:
    """Every other store gets all its answers; without, each day would wait five timeouts."""
    plan = make_plan(FIRST, LAST, ("bad", "good"), ())
    tally, erp = await pulled(plan, lambda target: target.store_id == "bad")
    assert sum(target.store_id == "bad" for target in erp.asked) == 3
    assert (tally.stored, tally.failed, tally.skipped) == (OF_STORE, 3, {"store bad": OF_STORE - 3})
    assert (tally.untried, tally.is_complete) == (0, False)


async def test_a_hanging_endpoint_is_left_and_no_store_for_it() -> None:
    plan = make_plan(FIRST, LAST, ("1", "2"), ())
    tally, erp = await pulled(plan, lambda target: target.endpoint.name == "getChargeBack")
    assert sum(target.endpoint.name == "getChargeBack" for target in erp.asked) == 3
    assert (tally.stored, tally.skipped) == (2 * OF_STORE - 20, {"endpoint getChargeBack": 17})


async def test_hanging_stores_do_not_make_an_endpoint_bad() -> None:
    """The race: all workers run into the first endpoint of stores that hang."""
    stores = tuple(f"bad {number}" for number in range(8))
    plan = make_plan(FIRST, LAST, (*stores, "good"), ())
    tally, _ = await pulled(plan, lambda target: target.store_id != "good", concurrency=8)
    assert tally.stored == OF_STORE
    assert tally.skipped.keys() == {f"store {store}" for store in stores}


async def test_failures_that_are_not_in_a_row_leave_nothing_out() -> None:
    plan = make_plan(FIRST, LAST, ("1",), ("getGuestChecks",))
    tally, _ = await pulled(plan, lambda target: target.bus_dt.day % 2 == 0)
    assert (tally.failed, tally.skipped) == (5, {})


async def test_the_last_day_comes_before_history() -> None:
    """Today is what people look at; history can wait, and is listed in order all the same."""
    plan = make_plan(FIRST, LAST, ("1", "2"), ("getGuestChecks",))
    _, erp = await pulled(plan, lambda _target: False)
    days = [target.bus_dt.day for target in erp.asked]
    assert days == [10, 10] + [day for day in range(1, 10) for _ in range(2)]
