"""The published description, held against a running simulator by schemathesis."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings

from devstack.erp.app import create_app
from devstack.erp.settings import SimulatorSettings

EXAMPLES_COUNT = 15
TOKEN = "s3cret"

Running = Callable[..., AbstractContextManager[Any]]

api = schemathesis.openapi.from_dict(create_app(SimulatorSettings.model_construct()).openapi())


@pytest.fixture
def base_url(running: Running) -> Iterator[str]:
    with running(checks_per_day=3, api_token=TOKEN) as client:
        yield f"http://127.0.0.1:{client.port}"


@api.parametrize()
@settings(
    max_examples=EXAMPLES_COUNT,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_every_route_answers_good_and_bad_requests_as_described(
    case: schemathesis.Case, base_url: str
) -> None:
    case.call_and_validate(base_url=base_url, headers={"Authorization": f"Bearer {TOKEN}"})
