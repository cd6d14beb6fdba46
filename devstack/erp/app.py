"""The simulated ERP as an HTTP application: its endpoints behind a door, control and health."""

from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, Depends, FastAPI, Response

from devstack.erp.access import Access
from devstack.erp.contract_control import Health
from devstack.erp.control import control_routes
from devstack.erp.door import Door
from devstack.erp.faults import FaultPlan
from devstack.erp.problems import install_problems
from devstack.erp.published import example, problems, put_answers, success
from devstack.erp.requests import StoreDayRequest
from devstack.erp.settings import SimulatorSettings
from devstack.erp.simulator import Simulator
from schemas.registry import ENDPOINTS, Endpoint

_DESCRIPTION = """\
Answers like the point of sale of a restaurant chain: one POST per endpoint, store and business
day. Answers follow from the seed, the store, the day and the revision alone; only `curUTC` moves.

On a bad day (`/_control/faults`, `ERP_SIM_FAULTS_PERCENT`) it also fails in ways that no
description covers: cut connections, truncated JSON, error pages with status 200.
"""


class _ErpApp(FastAPI):
    def openapi(self) -> dict[str, Any]:
        if self.openapi_schema is None:
            put_answers(super().openapi())
        return super().openapi()


def create_app(settings: SimulatorSettings | None = None) -> FastAPI:
    """Build the application.

    Args:
        settings: How the simulated chain behaves; by default, as the environment says.
    """
    settings = settings or SimulatorSettings()
    simulator = Simulator(settings)
    plan = FaultPlan(settings.seed, settings.faults())
    callers, operators = Access(settings.api_token), Access(settings.api_token)
    app = _ErpApp(
        title="Simulated ERP",
        version="1.1.0",
        description=_DESCRIPTION,
        separate_input_output_schemas=False,
    )
    install_problems(app)
    app.add_middleware(Door, plan=plan)
    app.include_router(_erp_routes(simulator), dependencies=[Depends(callers.check)], tags=["erp"])
    app.include_router(
        control_routes(simulator, plan, callers),
        dependencies=[Depends(operators.check)],
        tags=["control"],
    )
    app.include_router(_health_routes(), tags=["health"])
    return app


def _erp_routes(simulator: Simulator) -> APIRouter:
    router = APIRouter(responses=problems(400, 401, 404, 422, 429, 500, 504))
    for endpoint in ENDPOINTS:
        router.post(
            endpoint.path,
            operation_id=endpoint.name,
            summary=endpoint.name,
            description=endpoint.source.entry.comment + ".",
            responses=success(endpoint),
        )(_answering(simulator, endpoint))
    return router


def _answering(simulator: Simulator, endpoint: Endpoint) -> Callable[..., Response]:
    # A plain function: the framework runs it on a thread, so a large day blocks nobody.
    def answer(request: StoreDayRequest) -> Response:
        body = simulator.answer(endpoint.source, request.store, request.bus_dt)
        return Response(body, media_type="application/json")

    return answer


def _health_routes() -> APIRouter:
    router = APIRouter()

    @router.get(
        "/healthz",
        operation_id="health",
        summary="Is it there?",
        responses=example({"status": "ok"}),
    )
    async def health() -> Health:
        """Answer as soon as requests can be served; needs no token."""
        return Health()

    return router
