"""The simulated ERP as an HTTP application: five endpoints, control and health."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, Query, Response

from devstack.erp.access import token_check
from devstack.erp.contract_control import ControlTotals, Health, Revision
from devstack.erp.contract_lists import ANSWER_MODELS
from devstack.erp.examples import example_answer
from devstack.erp.problems import MEDIA_TYPE, Problem, install_problems
from devstack.erp.requests import BusinessDay, StoreDayRequest, StoreId
from devstack.erp.settings import SimulatorSettings
from devstack.erp.simulator import Simulator
from devstack.erp.totals import control_totals
from schemas.sources import ENDPOINTS, Endpoint

_DESCRIPTION = """\
Answers like the point of sale of a restaurant chain: one POST per endpoint, store and business
day. Answers follow from the seed, the store, the day and the revision alone; only `curUTC` moves.
"""


def create_app(settings: SimulatorSettings | None = None) -> FastAPI:
    """Build the application.

    Args:
        settings: How the simulated chain behaves; by default, as the environment says.
    """
    settings = settings or SimulatorSettings()
    simulator = Simulator(settings)
    app = FastAPI(
        title="Simulated ERP",
        version="1.0.0",
        description=_DESCRIPTION,
        separate_input_output_schemas=False,
    )
    install_problems(app)
    guarded = [Depends(token_check(settings.api_token))]
    app.include_router(_erp_routes(simulator), dependencies=guarded, tags=["erp"])
    app.include_router(_control_routes(simulator), dependencies=guarded, tags=["control"])
    app.include_router(_health_routes(), tags=["health"])
    return app


def _erp_routes(simulator: Simulator) -> APIRouter:
    router = APIRouter(responses=_problems(400, 401, 422))
    for endpoint in ENDPOINTS:
        router.post(
            endpoint.path,
            operation_id=endpoint.name,
            summary=endpoint.name,
            description=ANSWER_MODELS[endpoint.source].__doc__,
            responses=_success(endpoint),
        )(_answering(simulator, endpoint))
    return router


def _answering(simulator: Simulator, endpoint: Endpoint) -> Callable[..., Response]:
    # A plain function: the framework runs it on a thread, so a large day blocks nobody.
    def answer(request: StoreDayRequest) -> Response:
        body = simulator.answer(endpoint.source, request.store, request.bus_dt)
        return Response(body, media_type="application/json")

    return answer


def _control_routes(simulator: Simulator) -> APIRouter:
    router = APIRouter(prefix="/_control", responses=_problems(401, 422))

    @router.post("/advance", operation_id="advance", summary="Let corrections happen")
    async def advance() -> Revision:
        """Close open checks, correct about one check in eight, return the new revision."""
        return Revision(revision=simulator.advance())

    @router.get("/totals", operation_id="totals", summary="What the warehouse should show")
    def totals(
        store_id: Annotated[StoreId, Query(alias="storeId")],
        bus_dt: Annotated[BusinessDay, Query(alias="busDt")],
    ) -> ControlTotals:
        """Count and sum one store's day at the current revision."""
        return ControlTotals.model_validate(control_totals(simulator, store_id, bus_dt))

    return router


def _health_routes() -> APIRouter:
    router = APIRouter()

    @router.get("/healthz", operation_id="health", summary="Is it there?")
    async def health() -> Health:
        """Answer as soon as requests can be served; needs no token."""
        return Health()

    return router


def _success(endpoint: Endpoint) -> dict[int | str, dict[str, Any]]:
    example = {"application/json": {"example": example_answer(endpoint.source)}}
    return {
        200: {
            "model": ANSWER_MODELS[endpoint.source],
            "description": "The whole day.",
            "content": example,
        }
    }


def _problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Describe error answers, by content: for a `model`, FastAPI would assume plain JSON."""
    return {
        status: {
            "description": HTTPStatus(status).phrase,
            "content": {MEDIA_TYPE: {"schema": Problem.model_json_schema()}},
        }
        for status in statuses
    }
