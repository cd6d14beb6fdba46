"""The ERP's bad days: what each fault looks like, when it comes, and how it is set."""

import http.client
import json
import logging
import random
import time
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager
from itertools import pairwise
from typing import Any

import pytest
from pydantic import ValidationError

from devstack.erp.faults import DEFAULT_KINDS, Cell, FaultKind, FaultPlan, Faults
from devstack.erp.settings import SimulatorSettings
from schemas.registry import ENDPOINTS

Running = Callable[..., AbstractContextManager[Any]]
SettingsOf = Callable[..., SimulatorSettings]

CHECKS = "/res/getGuestChecks"
REQUEST = {"busDt": "2024-01-01", "storeId": "São João"}
PROBLEM = "application/problem+json"
DELAY_SECONDS = 0.3
CELLS = [
    Cell(endpoint.path, store, f"2024-01-{day:02}")
    for endpoint in ENDPOINTS
    for store in ("001", "99 CB CB")
    for day in range(1, 29)
]


def ask(port: int) -> tuple[http.client.HTTPResponse, bytes]:
    """Ask for one day of checks."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        body = json.dumps(REQUEST).encode()
        connection.request("POST", CHECKS, body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        return answer, answer.read()
    finally:
        connection.close()


def only(kind: FaultKind, **more: Any) -> dict[str, Any]:
    """Give the settings under which every first attempt suffers one kind of fault."""
    return {"faults_percent": 100, "fault_kinds": (kind,), "faults_in_a_row": 1, **more}


def draws(plan: FaultPlan, cells: list[Cell]) -> dict[Cell, list[FaultKind | None]]:
    """Attempt each cell as often as it is listed."""
    drawn: dict[Cell, list[FaultKind | None]] = {cell: [] for cell in cells}
    for cell in cells:
        drawn[cell].append(plan.next_fault(cell))
    return drawn


@pytest.fixture
def whole_answer(running: Running) -> bytes:
    with running() as client:
        return ask(client.port)[1]


REFUSALS = {
    FaultKind.THROTTLED: (429, PROBLEM, ("Retry-After", "7")),
    FaultKind.FAILED: (500, PROBLEM, None),
    FaultKind.GATEWAY_TIMEOUT: (504, PROBLEM, None),
    FaultKind.HTML: (200, "text/html", None),
    FaultKind.PROBLEM: (200, PROBLEM, None),
    FaultKind.EXPIRED: (401, PROBLEM, ("WWW-Authenticate", 'Bearer error="invalid_token"')),
}


@pytest.mark.parametrize("kind", REFUSALS, ids=str)
def test_a_refusal_says_what_it_is_and_the_next_attempt_is_answered(
    running: Running, whole_answer: bytes, kind: FaultKind
):
    status, media_type, header = REFUSALS[kind]
    with running(**only(kind, retry_after_seconds=7, fault_delay_seconds=0)) as client:
        answer, body = ask(client.port)
        assert (answer.status, answer.headers.get_content_type()) == (status, media_type)
        assert header is None or answer.headers[header[0]] == header[1]
        assert body != whole_answer
        if media_type == PROBLEM:
            assert set(json.loads(body)) == {"type", "title", "status", "detail"}
            assert json.loads(body)["status"] >= 400
        assert ask(client.port)[1] == whole_answer


def test_a_truncated_answer_has_the_status_and_the_length_of_a_whole_one_but_is_no_json(
    running: Running, whole_answer: bytes
):
    with running(**only(FaultKind.TRUNCATED)) as client:
        answer, body = ask(client.port)
        assert (answer.status, answer.headers.get_content_type()) == (200, "application/json")
        assert whole_answer.startswith(body)
        assert 0 < len(body) < len(whole_answer)
        assert ask(client.port)[1] == whole_answer


@pytest.mark.parametrize(
    ("kind", "store", "opened_on"),
    [
        (FaultKind.ANOTHER_STORE, "São João 2", "2024-01-01"),
        (FaultKind.ANOTHER_DAY, "São João", "2023-12-25"),
    ],
)
def test_the_answer_of_another_store_or_day_is_a_good_one(
    running: Running, whole_answer: bytes, kind: FaultKind, store: str, opened_on: str
):
    with running(**only(kind, closed_days_percent=0)) as client:
        answer, body = ask(client.port)
        document = json.loads(body)
        assert (answer.status, document["locRef"]) == (200, store)
        assert opened_on in {check["opnBusDt"] for check in document["guestChecks"]}
        assert ask(client.port)[1] == whole_answer


@pytest.mark.parametrize("kind", [FaultKind.CUT, FaultKind.RESET], ids=str)
def test_a_broken_connection_is_seen_by_the_caller_and_passed_over_in_the_log(
    running: Running, whole_answer: bytes, kind: FaultKind, caplog: pytest.LogCaptureFixture
):
    expected = {
        FaultKind.CUT: http.client.IncompleteRead,
        FaultKind.RESET: ConnectionResetError,
    }[kind]
    with running(**only(kind)) as client:
        with pytest.raises(expected) as broken:
            ask(client.port)
        # Not its subclass RemoteDisconnected: that would be an orderly end.
        assert broken.type is expected
        assert ask(client.port)[1] == whole_answer
    if isinstance(broken.value, http.client.IncompleteRead):
        assert broken.value.partial == whole_answer[: len(whole_answer) // 2]
        assert broken.value.expected == len(whole_answer) - len(broken.value.partial)
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


@pytest.mark.parametrize("kind", [FaultKind.SLOW, FaultKind.GATEWAY_TIMEOUT], ids=str)
def test_what_is_late_comes_late_and_a_slow_answer_comes_whole(
    running: Running, whole_answer: bytes, kind: FaultKind
):
    with running(**only(kind, fault_delay_seconds=DELAY_SECONDS)) as client:
        began = time.monotonic()
        answer, body = ask(client.port)
        took = time.monotonic() - began
    assert took >= DELAY_SECONDS
    assert (body == whole_answer) == (kind is FaultKind.SLOW)
    assert answer.status == (200 if kind is FaultKind.SLOW else 504)


def test_what_an_attempt_suffers_depends_on_its_cell_and_number_not_on_the_others():
    """Callers ask concurrently: the order among cells is chance, the faults are not."""
    faults = Faults(percent=30)
    attempts = CELLS * 5
    shuffled = random.Random(1).sample(attempts, len(attempts))
    assert draws(FaultPlan(2024, faults), attempts) == draws(FaultPlan(2024, faults), shuffled)
    assert draws(FaultPlan(2024, faults), attempts) != draws(FaultPlan(7, faults), attempts)


def test_about_as_many_attempts_go_wrong_as_were_asked_for_in_every_way_there_is():
    plan = FaultPlan(2024, Faults(percent=20))
    draws(plan, CELLS * 5)
    assert plan.attempts == len(CELLS) * 5
    assert 0.15 < plan.injected.total() / plan.attempts < 0.22
    assert set(plan.injected) == set(DEFAULT_KINDS)
    assert max(plan.injected.values()) < 3 * min(plan.injected.values())


@pytest.mark.parametrize("in_a_row", [1, 2, 5])
def test_a_cell_is_answered_after_so_many_faults_in_a_row(in_a_row: int):
    kinds = (FaultKind.CUT, FaultKind.FAILED)
    plan = FaultPlan(2024, Faults(percent=100, kinds=kinds, in_a_row=in_a_row))
    for drawn in draws(plan, CELLS * 12).values():
        wrong = [fault is not None for fault in drawn]
        assert wrong == [number % (in_a_row + 1) != in_a_row for number in range(12)]


def test_who_renews_an_expired_token_gets_through_at_once():
    """Else a caller who renews once for each answer, as is usual, would never get one."""
    plan = FaultPlan(2024, Faults(percent=100, in_a_row=10))
    drawn = draws(plan, CELLS * 10).values()
    after = Counter(
        two for faults in drawn for one, two in pairwise(faults) if one is FaultKind.EXPIRED
    )
    assert after.keys() == {None}
    assert after.total() > 50


def test_faults_are_set_reported_and_cleared_while_the_erp_runs(running: Running):
    with running() as client:
        before = client.post(CHECKS, REQUEST)
        status, _, body = client.post("/_control/faults", {"percent": 100, "kinds": ["html"]})
        assert (status, json.loads(body)["faults"]["kinds"]) == (200, ["html"])
        bad = [client.post(CHECKS, REQUEST)[1] for _ in range(4)]
        report = json.loads(client.send("GET", "/_control/faults")[2])
        cleared = json.loads(client.send("DELETE", "/_control/faults")[2])
        after = [client.post(CHECKS, REQUEST) for _ in range(2)]
    assert bad == ["text/html", "text/html", "application/json", "text/html"]
    assert (report["attempts"], report["injected"]) == (4, {"html": 3})
    assert (cleared["faults"]["percent"], cleared["attempts"]) == (0, 0)
    assert after == [before, before]


def test_setting_faults_again_begins_the_same_story_again(running: Running):
    stories = []
    with running() as client:
        for _ in range(2):
            client.post("/_control/faults", {"percent": 50, "kinds": ["failed"]})
            stories.append([client.post(CHECKS, REQUEST)[0] for _ in range(20)])
    assert stories[0] == stories[1]
    assert set(stories[0]) == {200, 500}


@pytest.mark.parametrize(
    "wrong",
    [{}, {"percent": 101}, {"percent": 1, "kinds": ["typo"]}, {"percent": 1, "kind": "cut"},
     {"percent": 1, "disabled": ["getNothing"]}, {"percent": 1, "in_a_row": 0},
     {"percent": True}, {"percent": 1, "in_a_row": "2"}],
    ids=json.dumps,
)  # fmt: skip
def test_faults_that_cannot_be_are_refused_and_change_nothing(running: Running, wrong: Any):
    with running() as client:
        assert client.post("/_control/faults", wrong)[:2] == (422, PROBLEM)
        assert json.loads(client.send("GET", "/_control/faults")[2])["faults"]["percent"] == 0


def test_an_endpoint_that_is_not_enabled_answers_404_and_the_others_answer(running: Running):
    with running(disabled_endpoints=("getChargeBack",)) as client:
        answers = {endpoint.name: client.post(endpoint.path, REQUEST) for endpoint in ENDPOINTS}
    refused = answers.pop("getChargeBack")
    assert refused[:2] == (404, PROBLEM)
    assert "getChargeBack" in json.loads(refused[2])["detail"]
    assert {status for status, _, _ in answers.values()} == {200}


def test_a_request_that_nothing_could_answer_is_refused_even_on_a_bad_day(running: Running):
    with running(**only(FaultKind.HTML, faults_in_a_row=9)) as client:
        answers = [client.post(CHECKS, {"busDt": "2024-01-01"}), client.send("POST", CHECKS, b"{")]
        assert [status for status, _, _ in answers] == [422, 400]
        assert client.send("GET", "/healthz")[0] == 200


def test_an_expired_token_is_refused_until_it_is_renewed(running: Running):
    with running(api_token="first") as client:
        assert client.post(CHECKS, REQUEST, "first")[0] == 200
        expired = client.post("/_control/token", {"token": "second"}, "first")
        statuses = [client.post(CHECKS, REQUEST, token)[0] for token in ("first", "second")]
        control = [
            client.send("GET", "/_control/faults", token=token)[0] for token in ("first", "second")
        ]
    assert expired[0] == 204
    assert statuses == [401, 200]
    assert control == [200, 401]


def test_a_token_may_come_as_x_api_key(running: Running):
    with running(api_token="s3cret") as client:
        statuses = []
        for key in ("wrong", "s3cret"):
            connection = http.client.HTTPConnection("127.0.0.1", client.port, timeout=10)
            headers = {"Content-Type": "application/json", "x-api-key": key}
            connection.request("POST", CHECKS, json.dumps(REQUEST), headers)
            statuses.append(connection.getresponse().status)
            connection.close()
    assert statuses == [401, 200]


def test_faults_come_from_the_environment(settings_of: SettingsOf, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("ERP_SIM_FAULTS_PERCENT", "12.5")
    monkeypatch.setenv("ERP_SIM_FAULT_KINDS", "cut, html")
    monkeypatch.setenv("ERP_SIM_DISABLED_ENDPOINTS", "getChargeBack")
    assert settings_of().faults() == Faults(
        percent=12.5, kinds=(FaultKind.CUT, FaultKind.HTML), disabled=("getChargeBack",)
    )


@pytest.mark.parametrize("name", ["FAULT_KINDS", "DISABLED_ENDPOINTS"])
def test_a_misspelt_name_is_refused_with_those_there_are(
    settings_of: SettingsOf, monkeypatch: pytest.MonkeyPatch, name: str
):
    monkeypatch.setenv(f"ERP_SIM_{name}", "typo")
    with pytest.raises(ValidationError, match=r"'gateway_timeout'|getTransactions"):
        settings_of()
