"""The API over HTTP: answers, control totals, errors, access, and its published description."""

import http.client
import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from decimal import Decimal
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import simplejson

from devstack.erp.export import openapi_text
from devstack.erp.settings import SimulatorSettings
from devstack.erp.ticket import Json
from schemas.registry import ENDPOINTS, ENDPOINTS_BY_NAME, Endpoint
from tests.support.facts import LISTS

Running = Callable[..., AbstractContextManager[Any]]
SettingsOf = Callable[..., SimulatorSettings]

REPOSITORY = Path(__file__).parents[2]
REQUEST = {"busDt": "2024-01-01", "storeId": "99 CB CB"}
PROBLEM = "application/problem+json"


def answers_of(client: Any, store: str, day: str) -> dict[str, Json]:
    return {
        endpoint.name: simplejson.loads(
            client.post(endpoint.path, {"busDt": day, "storeId": store})[2], use_decimal=True
        )
        for endpoint in ENDPOINTS
    }


def totals_of(client: Any, store: str, day: str) -> Json:
    status, _, body = client.send("GET", f"/_control/totals?storeId={store}&busDt={day}")
    assert status == 200
    return json.loads(body)


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda endpoint: endpoint.name)
def test_every_endpoint_answers_as_its_published_schema_says(running: Running, endpoint: Endpoint):
    api = json.loads(openapi_text())
    published = api["paths"][endpoint.path]["post"]["responses"]["200"]["content"]
    schema = published["application/json"]["schema"] | {"components": api["components"]}
    with running(closed_days_percent=20) as client:
        for day in range(1, 21):
            request = {"busDt": f"2024-01-{day:02}", "storeId": "São João"}
            status, content_type, body = client.post(endpoint.path, request)
            assert (status, content_type) == (200, "application/json")
            jsonschema.validate(json.loads(body), schema)


def test_published_schemas_name_every_field_that_is_sent(running: Running):
    api = json.loads(openapi_text())
    schemas = api["components"]["schemas"]
    sent = {"GuestCheck": set(), "DetailLine": set(), "FiscalInvoice": set(), "CashBox": set()}
    with running() as client:
        for day in range(1, 11):
            answers = answers_of(client, "001", f"2024-01-{day:02}")
            for check in answers["getGuestChecks"].get("guestChecks") or ():
                sent["GuestCheck"] |= check.keys()
                for line in check.get("detailLines", ()):
                    sent["DetailLine"] |= line.keys()
            for row in answers["getFiscalInvoice"].get("fiscalInvoices") or ():
                sent["FiscalInvoice"] |= row.keys()
            for row in answers["getCashManagementDetails"].get("cashManagement") or ():
                sent["CashBox"] |= row.keys()
    for name, fields in sent.items():
        assert fields
        assert fields - schemas[name]["properties"].keys() == set()


def test_locref_and_storeid_mean_the_same_and_are_trimmed(running: Running):
    with running() as client:
        spelt = [
            {"storeId": "99 CB CB"},
            {"locRef": " 99 CB CB "},
            {"storeId": "99 CB CB", "locRef": "99 CB CB"},
        ]
        answers = {client.post("/res/getGuestChecks", {"busDt": "2024-01-01"} | s) for s in spelt}
    assert len(answers) == 1


@pytest.mark.parametrize("revision", [0, 2])
@pytest.mark.parametrize("store", ["001", "S%C3%A3o%20Jo%C3%A3o"])
def test_control_totals_agree_with_the_answers(running: Running, store: str, revision: int):
    name = {"001": "001"}.get(store, "São João")
    with running() as client:
        for _ in range(revision):
            client.send("POST", "/_control/advance")
        for day in (f"2024-01-{n:02}" for n in range(1, 15)):
            totals, answers = totals_of(client, store, day), answers_of(client, name, day)
            assert (totals["storeId"], totals["busDt"]) == (name, day)
            assert totals["revision"] == revision
            checks = answers["getGuestChecks"].get("guestChecks") or []
            sums = {
                (name, field): sum(
                    (
                        Decimal(str(row.get(field, 0)))
                        for row in answers[name].get(
                            ENDPOINTS_BY_NAME[name].source.entry.list_field
                        )
                        or ()
                    ),
                    Decimal(0),
                )
                for name, fields in totals["amounts"].items()
                for field in fields
            }
            assert {
                (name, field): Decimal(text)
                for name, fields in totals["amounts"].items()
                for field, text in fields.items()
            } == sums
            assert sums.keys() == {
                (source, name)
                for source, facts in LISTS.items()
                for name, kind in facts.fields.items()
                if kind == "number"
            }
            assert totals["answer"] == {
                endpoint.name: {
                    endpoint.source.entry.list_field: len(
                        answers[endpoint.name].get(endpoint.source.entry.list_field) or ()
                    )
                }
                for endpoint in ENDPOINTS[1:]
            } | {
                "getGuestChecks": {
                    "checks": len(checks),
                    "detail_lines": sum(len(c.get("detailLines", ())) for c in checks),
                    "taxes": sum(len(c.get("taxes", ())) for c in checks),
                }
            }
            counted = [c for c in checks if c["opnBusDt"] == day and not c.get("cancelFlag")]
            taxes = [tax for check in counted for tax in check.get("taxes", ())]
            assert totals["revenue"] == {
                "checks": len(counted),
                "detail_lines": sum(len(c.get("detailLines", ())) for c in counted),
                "taxes": len(taxes),
                "guests": sum(c["gstCnt"] for c in counted),
                "net": f"{sum((c['subTtl'] for c in counted), Decimal(0)):.2f}",
                "tax": f"{sum((t['taxCollTtl'] for t in taxes), Decimal(0)):.2f}",
                "discounts": f"{sum((c['dscTtl'] for c in counted), Decimal(0)):.2f}",
            }


def test_advance_raises_the_revision_by_one(running: Running):
    with running(revision=3) as client:
        answers = [json.loads(client.send("POST", "/_control/advance")[2]) for _ in range(2)]
    assert answers == [{"revision": 4}, {"revision": 5}]


BAD_REQUESTS = {
    "not JSON": (b"{busDt", 400, "not JSON"),
    "no day": (b'{"storeId": "001"}', 422, "busDt"),
    "no store": (b'{"busDt": "2024-01-01"}', 422, "storeId"),
    "blank store": (b'{"busDt": "2024-01-01", "storeId": "  "}', 422, "storeId"),
    "half a surrogate": (b'{"busDt": "2024-01-01", "storeId": "\\ud800"}', 422, "storeId"),
    "two stores": (b'{"busDt": "2024-01-01", "storeId": "1", "locRef": "2"}', 422, "different"),
    "no such day": (b'{"busDt": "2024-02-30", "storeId": "001"}', 422, "busDt"),
    "another date format": (b'{"busDt": "01/02/2024", "storeId": "001"}', 422, "YYYY-MM-DD"),
    "a number for a day": (b'{"busDt": 20240101, "storeId": "001"}', 422, "YYYY-MM-DD"),
    "a day out of range": (b'{"busDt": "1950-01-01", "storeId": "001"}', 422, "busDt"),
    "a list": (b"[]", 422, "body"),
    "nothing": (b"", 422, "body"),
}


def test_bad_requests_get_a_problem_that_says_what_is_wrong(running: Running):
    with running() as client:
        for body, status, words in BAD_REQUESTS.values():
            got, content_type, text = client.send("POST", "/bi/getFiscalInvoice", body)
            problem = json.loads(text)
            assert (got, content_type) == (status, PROBLEM)
            assert set(problem) == {"type", "title", "status", "detail"}
            assert problem["status"] == status
            assert words in problem["detail"]


def test_unknown_paths_and_methods_get_a_problem_too(running: Running):
    with running() as client:
        answers = [client.send("GET", "/nothing"), client.send("GET", "/res/getGuestChecks")]
    assert [(status, kind) for status, kind, _ in answers] == [(404, PROBLEM), (405, PROBLEM)]
    assert [json.loads(body)["status"] for _, _, body in answers] == [404, 405]


def test_with_a_token_set_only_its_bearer_is_answered_but_health_is_open(running: Running):
    with running(api_token="s3cret") as client:
        answers = [
            client.post("/res/getGuestChecks", REQUEST, token)
            for token in (None, "wrong", "s3cret")
        ]
        control = client.send("POST", "/_control/advance")
        health = client.send("GET", "/healthz")
    assert [(status, kind) for status, kind, _ in answers] == [
        (401, PROBLEM),
        (401, PROBLEM),
        (200, "application/json"),
    ]
    assert control[0] == 401
    assert (health[0], json.loads(health[2])) == (200, {"status": "ok"})


def test_settings_come_from_the_environment(
    settings_of: SettingsOf, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("ERP_SIM_CHECKS_PER_DAY", "7")
    monkeypatch.setenv("ERP_SIM_TAXATION_FROM", "2024-06-01")
    monkeypatch.setenv("ERP_SIM_SEED", "")
    monkeypatch.setenv("API_TOKEN", "s3cret")
    settings = settings_of()
    assert (settings.checks_per_day, settings.seed) == (7, 2024)
    assert str(settings.taxation_from) == "2024-06-01"
    assert settings.api_token is not None
    assert settings.api_token.get_secret_value() == "s3cret"


def test_every_setting_has_its_line_in_the_documentation():
    table = (REPOSITORY / "docs/api/README.md").read_text(encoding="utf-8")
    documented = set(re.findall(r"^\| `([A-Z_]+)` \|", table, re.MULTILINE))
    fields = SimulatorSettings.model_fields
    assert documented == {
        str(field.validation_alias or f"ERP_SIM_{name.upper()}") for name, field in fields.items()
    }


def test_serve_answers_quietly_until_it_is_told_to_stop(tmp_path: Path):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = subprocess.Popen(
        [sys.executable, "-m", "devstack", "api", "--port", str(port), "--faults", "100"],
        cwd=tmp_path,
        env={**os.environ, "API_TOKEN": "", "ERP_SIM_FAULT_KINDS": "reset"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    try:
        assert answers_health(port, deadline=time.monotonic() + 20)
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        connection.request("POST", "/res/getGuestChecks", json.dumps(REQUEST))
        with pytest.raises(ConnectionResetError):
            connection.getresponse()
        connection.close()
        server.terminate()
        output, _ = server.communicate(timeout=10)
    finally:
        server.kill()
        server.wait()
    assert output == b""
    assert server.returncode == 0


def answers_health(port: int, deadline: float) -> bool:
    while time.monotonic() < deadline:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=1)
        try:
            connection.request("GET", "/healthz")
            return connection.getresponse().status == 200
        except OSError:
            time.sleep(0.05)
        finally:
            connection.close()
    return False


def test_the_documentation_pages_are_served(running: Running):
    with running() as client:
        assert client.send("GET", "/docs")[:2] == (200, "text/html")
        assert json.loads(client.send("GET", "/openapi.json")[2]) == json.loads(openapi_text())


def test_the_exported_description_is_up_to_date():
    """If this fails: python -m devstack.erp.export > docs/api/openapi.json."""
    assert (REPOSITORY / "docs/api/openapi.json").read_text(encoding="utf-8") == openapi_text()
