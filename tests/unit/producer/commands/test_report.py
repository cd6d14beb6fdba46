"""What a run says while it goes on and at its end."""

import json

import pytest

from producer import tally as tally_module
from producer.commands.report import exit_code, print_report, summary
from producer.errors import ErpRefused
from producer.tally import Tally


def run_with(stored: int, failed: int, total: int) -> Tally:
    tally = Tally(total)
    for _ in range(stored):
        tally.add_stored(10)
    for number in range(failed):
        tally.add_failure({"store": f"[bold]:smile: {number}"}, ErpRefused("404 [red]"))
    return tally


@pytest.mark.parametrize(
    ("tally", "interrupted", "code"),
    [
        (run_with(2, 0, 2), False, 0),
        (run_with(1, 1, 2), False, 1),
        (run_with(1, 0, 2), False, 1),
        (run_with(1, 0, 2), True, 130),
    ],
)
def test_only_a_complete_run_exits_with_zero(tally: Tally, *, interrupted: bool, code: int) -> None:
    assert exit_code(tally, interrupted=interrupted) == code


def test_the_summary_is_one_json_object() -> None:
    text = summary(run_with(2, 1, 4), {"command": "pull"}, seconds=1.23456, interrupted=False)
    assert json.loads(text) == {
        "command": "pull",
        "total": 4,
        "stored": 2,
        "unchanged": 0,
        "present": 0,
        "failed": 1,
        "skipped": {},
        "untried": 1,
        "stored_bytes": 20,
        "seconds": 1.235,
        "interrupted": False,
        "stopped_by": None,
        "failures": [
            {
                "store": "[bold]:smile: 0",
                "code": "erp_refused",
                "message": "404 [red]",
                "remedy": ErpRefused.remedy,
            }
        ],
        "failures_omitted": 0,
    }


def test_the_report_prints_names_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    """Store ids are free text: `[bold]` is a name, not markup."""
    print_report(run_with(1, 1, 3), seconds=2.0, interrupted=True)
    out = capsys.readouterr().out
    assert out.startswith("Interrupted.")
    assert "1 of 3 stored (10 bytes) in 2.0 s; " in out
    assert "; 0 unchanged, 0 already there, 1 failed, 0 skipped, 1 not tried." in out
    assert "--force" not in out
    assert "[bold]:smile: 0" in out
    assert "404 [red]" in out
    assert f"erp_refused: {ErpRefused.remedy}" in out


def test_what_was_there_already_is_counted_and_its_remedy_named(
    capsys: pytest.CaptureFixture[str],
) -> None:
    tally = run_with(1, 0, 3)
    tally.add_present()
    tally.add_unchanged()
    print_report(tally, seconds=2.0, interrupted=False)
    out = capsys.readouterr().out
    assert (tally.untried, exit_code(tally, interrupted=False)) == (0, 0)
    assert "1 unchanged, 1 already there, 0 failed" in out
    assert "--force asks for it again" in out


def test_a_long_table_is_cut_and_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    print_report(run_with(0, 60, 60), seconds=1.0, interrupted=False)
    out = capsys.readouterr().out
    assert ":smile: 49" in out
    assert ":smile: 50" not in out
    assert "and 10 more" in out


def test_failures_beyond_the_limit_are_counted_but_not_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tally_module, "FAILURES_KEPT_COUNT", 3)
    tally = run_with(0, 5, 5)
    assert (tally.failed, len(tally.failures)) == (5, 3)
    text = summary(tally, {}, seconds=0, interrupted=False)
    assert json.loads(text)["failures_omitted"] == 2


def test_what_was_skipped_is_named_with_the_reason(capsys: pytest.CaptureFixture[str]) -> None:
    tally = run_with(1, 0, 4)
    for _ in range(3):
        tally.add_skipped("store [7]")
    print_report(tally, seconds=2.0, interrupted=False)
    out = capsys.readouterr().out
    assert "3 skipped, 0 not tried." in out
    assert "3 of store [7] skipped: it kept failing" in out
    assert exit_code(tally, interrupted=False) == 1
