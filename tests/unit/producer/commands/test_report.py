"""What a run says while it goes on and at its end."""

import io
import json

import pytest

from producer import tally as tally_module
from producer.commands.progress import ProgressLines
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


def test_the_report_prints_names_as_they_are() -> None:
    """Store ids are free text: `[bold]` is a name, not markup."""
    out = io.StringIO()
    print_report(run_with(1, 1, 3), seconds=2.0, interrupted=True, to=out)
    assert out.getvalue().startswith("Interrupted.")
    assert "1 of 3 stored (10 bytes) in 2.0 s; " in out.getvalue()
    assert "; 0 unchanged, 0 already there, 1 failed, 0 skipped, 1 not tried." in out.getvalue()
    assert "--force" not in out.getvalue()
    assert "[bold]:smile: 0" in out.getvalue()
    assert "404 [red]" in out.getvalue()
    assert f"erp_refused: {ErpRefused.remedy}" in out.getvalue()


def test_what_was_there_already_is_counted_and_its_remedy_named() -> None:
    tally = run_with(1, 0, 3)
    tally.add_present()
    tally.add_unchanged()
    out = io.StringIO()
    print_report(tally, seconds=2.0, interrupted=False, to=out)
    assert (tally.untried, exit_code(tally, interrupted=False)) == (0, 0)
    assert "1 unchanged, 1 already there, 0 failed" in out.getvalue()
    assert "--force asks for it again" in out.getvalue()


def test_a_long_table_is_cut_and_says_so() -> None:
    out = io.StringIO()
    print_report(run_with(0, 60, 60), seconds=1.0, interrupted=False, to=out)
    assert ":smile: 49" in out.getvalue()
    assert ":smile: 50" not in out.getvalue()
    assert "and 10 more" in out.getvalue()


def test_failures_beyond_the_limit_are_counted_but_not_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tally_module, "FAILURES_KEPT_COUNT", 3)
    tally = run_with(0, 5, 5)
    assert (tally.failed, len(tally.failures)) == (5, 3)
    text = summary(tally, {}, seconds=0, interrupted=False)
    assert json.loads(text)["failures_omitted"] == 2


def test_a_line_is_written_every_few_seconds_and_not_more_often() -> None:
    now = 100.0
    lines: list[str] = []
    tally = Tally(40, on_change=ProgressLines("pull", lines.append, lambda: now))
    for _ in range(20):
        tally.add_stored(1)
        now += 1.0
    assert lines == [
        "pull: 6/40, 1.2/s, 0 failed, 28 s left\n",
        "pull: 11/40, 1.1/s, 0 failed, 26 s left\n",
        "pull: 16/40, 1.1/s, 0 failed, 22 s left\n",
    ]


def test_what_was_skipped_is_named_with_the_reason() -> None:
    tally = run_with(1, 0, 4)
    for _ in range(3):
        tally.add_skipped("store [7]")
    out = io.StringIO()
    print_report(tally, seconds=2.0, interrupted=False, to=out)
    assert "3 skipped, 0 not tried." in out.getvalue()
    assert "3 of store [7] skipped: it kept failing" in out.getvalue()
    assert exit_code(tally, interrupted=False) == 1
