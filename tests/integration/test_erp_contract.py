"""The published description and the documentation, held against a running simulator."""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import schemathesis
from hypothesis import HealthCheck, settings

from devstack.erp.app import create_app
from devstack.erp.faults import FaultKind
from devstack.erp.settings import SimulatorSettings
from schemas.registry import ENDPOINTS

EXAMPLES_COUNT = 10
TOKEN = "s3cret"
DOCUMENT = Path(__file__).parents[2] / "docs" / "api" / "README.md"

Running = Callable[..., AbstractContextManager[Any]]

DESCRIPTION = create_app(SimulatorSettings.model_construct()).openapi()
api = schemathesis.openapi.from_dict(DESCRIPTION)


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


def described(*path: str) -> Any:
    """Return a part of the description."""
    found: Any = DESCRIPTION
    for name in path:
        found = found[name]
    return found


def test_every_answer_and_every_error_is_described_with_an_example_that_fits_its_schema() -> None:
    answers = [
        answer
        for route in described("paths").values()
        for operation in route.values()
        for status, answer in operation["responses"].items()
        if status != "204"
    ]
    assert len(answers) > 50
    for answer in answers:
        [content] = answer["content"].values()
        schema = content["schema"] | {"components": described("components")}
        jsonschema.validate(content["example"], schema)


def test_the_examples_of_the_five_endpoints_have_a_record() -> None:
    for endpoint in ENDPOINTS:
        answer = described("paths", endpoint.path, "post", "responses", "200")
        [records] = [
            value
            for value in answer["content"]["application/json"]["example"].values()
            if isinstance(value, list)
        ]
        assert len(records) == 1


def test_the_example_of_the_control_totals_is_what_they_are(running: Running) -> None:
    published = described("paths", "/_control/totals", "get", "responses", "200", "content")
    with running() as client:
        _, _, body = client.send("GET", "/_control/totals?storeId=99%20CB%20CB&busDt=2024-01-02")
    assert json.loads(body) == published["application/json"]["example"]


def holds(shown: Any, whole: Any) -> bool:
    """Say whether a value shows only what another has, in part."""
    if isinstance(shown, dict):
        return all(name in whole and holds(value, whole[name]) for name, value in shown.items())
    if isinstance(shown, list):
        return all(any(holds(item, one) for one in whole) for item in shown)
    return bool(shown == whole)


def test_the_documentation_shows_a_true_answer_of_each_endpoint(running: Running) -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    examples = re.findall(
        r"^```http\nPOST (\S+) ([^\n]*)\n\n(.*?)^```", text, re.MULTILINE | re.DOTALL
    )
    assert [path for path, _, _ in examples] == [endpoint.path for endpoint in ENDPOINTS]
    with running() as client:
        for path, request, shown in examples:
            status, _, body = client.post(path, json.loads(request))
            assert status == 200
            assert holds(json.loads(shown), json.loads(body)), path


def test_the_documentation_names_every_kind_of_fault() -> None:
    text = DOCUMENT.read_text(encoding="utf-8").partition("## Bad days")[2].partition("\n## ")[0]
    assert [str(kind) for kind in FaultKind] == re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE)
