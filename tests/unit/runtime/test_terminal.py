"""What commands print, whatever strangers wrote into it."""

import asyncio
import json
import re
import sys
from datetime import UTC, datetime

import pytest
import typer

from runtime.errors import SettingsInvalid
from runtime.terminal import (
    finish,
    print_blocks,
    print_json,
    print_table,
    printable,
    progress_lines,
    read_time,
)


def test_json_is_readable_and_survives_a_lone_surrogate(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"key": "São João"})
    print_json({"key": "\ud800"})
    first, second = capsys.readouterr().out.splitlines()
    assert first == '{"key": "São João"}'
    assert json.loads(second) == {"key": "\ud800"}


@pytest.mark.parametrize("cell", ["[/b]", "[red]x", "a[1].json", "[link=http://x]y[/link]"])
def test_a_cell_is_no_markup(cell: str, capsys: pytest.CaptureFixture[str]) -> None:
    print_table(("id", "what"), [("1", cell)])
    assert cell in capsys.readouterr().out


def test_a_terminal_is_not_commanded_by_what_it_shows() -> None:
    assert printable("a\x1b[31mb\x07\r\nc\u202e") == "a\ufffd[31mb\ufffd\ufffd\nc\ufffd"


def test_programs_get_a_line_for_each_row_with_nothing_cut(
    capsys: pytest.CaptureFixture[str],
) -> None:
    print_table(("id", "why"), [("a" * 300, "two\nlines\tand a tab"), (None, 3)])
    assert capsys.readouterr().out.splitlines() == [
        "id\twhy",
        "a" * 300 + "\ttwo lines\ufffdand a tab",
        "\t3",
    ]


@pytest.mark.parametrize("columns", [20, 40, 60, 120])
def test_people_get_a_table_that_folds_and_cuts_nothing(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    identity, message = "04d19581-1121-416f-8524-8e652b9aacd8", "0123456789" * 20
    print_table(("id", "message"), [(identity, message)])
    out = re.sub(r"\x1b\[[0-9;]*m", "", capsys.readouterr().out)
    assert max(len(line) for line in out.splitlines()) <= columns
    kept = re.sub(r"[^0-9a-f]", "", "".join(line[1:] for line in out.splitlines()))
    assert len([char for char in kept if char.isdigit()]) >= len(message)
    assert "\N{HORIZONTAL ELLIPSIS}" not in out
    if columns >= 80:
        assert identity in out


def test_rows_too_long_for_a_table_are_folded_between_words(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    remedy = "add to the alias file: [getGuestChecks] " + '"guestChecks.subTtl" ' * 5
    print_blocks(("path", "remedy"), [("guestChecks.subTtl", remedy)], lambda cells: cells)
    lines = re.sub(r"\x1b\[[0-9;]*m", "", capsys.readouterr().out).splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[0] == "guestChecks.subTtl"
    assert " ".join(" ".join(lines[1:]).split()) == remedy.strip()


@pytest.mark.parametrize("group", [False, True])
def test_a_reported_error_is_a_message_and_a_code_even_from_a_task_group(
    capsys: pytest.CaptureFixture[str], *, group: bool
) -> None:
    async def work() -> None:
        if not group:
            raise SettingsInvalid("set X")
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(fail_soon())

    async def fail_soon() -> None:
        raise SettingsInvalid("set X")

    with pytest.raises(typer.Exit) as ended:
        finish(work())
    assert ended.value.exit_code == 2
    assert capsys.readouterr().err == "error: set X\n"


def test_an_error_that_nobody_expected_is_not_hidden() -> None:
    async def work() -> None:
        raise ValueError("a bug")

    with pytest.raises(ValueError, match="a bug"):
        finish(work())


def test_elsewhere_than_on_a_terminal_progress_is_a_line_every_few_seconds() -> None:
    now, lines = 100.0, list[str]()
    advance = progress_lines("pull", None, lines.append, lambda: now)
    for done in range(1, 21):
        advance(done, 40, done // 10)
        now += 1.0
    assert lines == [
        "pull: 6/40, 1.2/s, 28 s left\n",
        "pull: 11/40, 1.1/s, 1 failed, 26 s left\n",
        "pull: 16/40, 1.1/s, 1 failed, 22 s left\n",
    ]


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2026-11-26T21:29:30.307917Z", "2026-11-26T21:29:30.307917"),
        ("2026-11-26T18:29:30-03:00", "2026-11-26T21:29:30"),
        ("2026-11-26T21:29:30", "2026-11-26T21:29:30"),
        ("2026-11-26", "2026-11-26T00:00:00"),
    ],
)
def test_since_takes_the_times_that_our_own_logs_print(text: str, utc: str) -> None:
    assert read_time(text) == datetime.fromisoformat(utc).replace(tzinfo=UTC)
