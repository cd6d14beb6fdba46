"""The control routes: what only a simulator offers, for tests and for the demo."""

from typing import Annotated

from fastapi import APIRouter, Query

from devstack.erp.access import Access
from devstack.erp.contract_control import Chain, ControlTotals, FaultReport, Revision, Token
from devstack.erp.examples import example_totals
from devstack.erp.faults import NO_FAULTS, FaultPlan, Faults
from devstack.erp.published import example, problems
from devstack.erp.requests import BusinessDay, StoreId
from devstack.erp.simulator import Simulator
from devstack.erp.totals import control_totals


def control_routes(simulator: Simulator, plan: FaultPlan, access: Access) -> APIRouter:
    """Build the routes under `/_control`."""
    router = APIRouter(prefix="/_control", responses=problems(401))
    _add_revision(router, simulator)
    _add_chain(router, simulator)
    _add_faults(router, plan)

    @router.post(
        "/token",
        operation_id="renewToken",
        summary="Let the token expire",
        status_code=204,
        responses=problems(400, 422),
    )
    async def renew_token(token: Token) -> None:
        """Accept another token from now on, and only that one; control keeps its own."""
        access.renew(token.token)

    return router


def _add_revision(router: APIRouter, simulator: Simulator) -> None:
    @router.post(
        "/advance",
        operation_id="advance",
        summary="Let corrections happen",
        responses=example({"revision": 1}),
    )
    async def advance() -> Revision:
        """Close open checks, correct about one check in eight, return the new revision."""
        return Revision(revision=simulator.advance())

    @router.get(
        "/totals",
        operation_id="totals",
        summary="What the warehouse should show",
        responses=example(example_totals()) | problems(422),
    )
    def totals(
        store_id: Annotated[StoreId, Query(alias="storeId")],
        bus_dt: Annotated[BusinessDay, Query(alias="busDt")],
    ) -> ControlTotals:
        """Count and sum one store's day at the current revision."""
        return ControlTotals.model_validate(control_totals(simulator, store_id, bus_dt))


def _add_chain(router: APIRouter, simulator: Simulator) -> None:
    example_of_chain = example(Chain(checks_per_day=3).model_dump(mode="json"))

    def report() -> Chain:
        settings = simulator.settings
        return Chain.model_construct(
            **{name: getattr(settings, name) for name in Chain.model_fields}
        )

    @router.get(
        "/chain", operation_id="chain", summary="How the chain trades", responses=example_of_chain
    )
    async def chain() -> Chain:
        """Say how much the chain trades and from which day on its answers change."""
        return report()

    @router.post(
        "/chain",
        operation_id="setChain",
        summary="Let the chain trade otherwise",
        responses=example_of_chain | problems(400, 422),
    )
    async def set_chain(chain: Chain) -> Chain:
        """Trade and answer so from now on; what is left out is as it was at the start."""
        simulator.behave(**{name: getattr(chain, name) for name in chain.model_fields_set})
        return report()

    @router.delete(
        "/chain",
        operation_id="resetChain",
        summary="Let the chain trade as at the start",
        responses=example_of_chain,
    )
    async def reset_chain() -> Chain:
        """Trade and answer as at the start."""
        simulator.behave()
        return report()


def _add_faults(router: APIRouter, plan: FaultPlan) -> None:
    shown = example(_REPORT)

    def report() -> FaultReport:
        return FaultReport(
            faults=plan.faults,
            attempts=plan.attempts,
            injected=dict(plan.injected),
            busiest_second=plan.meter.busiest,
        )

    @router.get("/faults", operation_id="faults", summary="What goes wrong", responses=shown)
    async def faults() -> FaultReport:
        """Say which faults are in force and what they did so far."""
        return report()

    @router.post(
        "/faults",
        operation_id="setFaults",
        summary="Let requests go wrong",
        responses=shown | problems(400, 422),
    )
    async def set_faults(faults: Faults) -> FaultReport:
        """Put faults in force in place of all others; attempts are counted from here."""
        plan.start(faults)
        return report()

    @router.delete(
        "/faults", operation_id="clearFaults", summary="Let all go well", responses=shown
    )
    async def clear_faults() -> FaultReport:
        """End all faults and enable all endpoints."""
        plan.start(NO_FAULTS)
        return report()


_REPORT = {
    "faults": Faults(percent=20).model_dump(mode="json"),
    "attempts": 215,
    "injected": {"throttled": 6, "cut": 4},
    "busiest_second": 20,
}
