"""What commands print, whatever strangers wrote into it."""

import json

import pytest
from consumer.terminal import print_json, print_table, printable


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


def test_an_id_is_never_cut(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    identity = "04d19581-1121-416f-8524-8e652b9aacd8"
    print_table(("id", "message"), [(identity, "a long message " * 20)])
    assert identity in capsys.readouterr().out
