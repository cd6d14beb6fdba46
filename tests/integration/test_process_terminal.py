"""What programs print as processes: in any locale, their version, completion for shells."""

import os
import subprocess
import sys
from importlib.metadata import version

import pytest

SHOWS = """
import sys
from runtime import program, terminal
def show():
    terminal.print_table(("key",), [("S\u00e3o \u2192",)])
    terminal.print_json({"key": "S\u00e3o \u2192"})
    terminal.tell("S\u00e3o \u2192")
cli = program.program("try", "Try.")
cli.command()(show)
cli.command()(lambda: None)
sys.argv = ["try", "show"]
program.run_program(cli)
"""


@pytest.mark.parametrize(
    ("locale", "encoding", "text", "json_text"),
    [
        ("ascii", "utf-8", "São →", '"São →"'),
        ("latin-1", "latin-1", "São \\u2192", '"S\\u00e3o \\u2192"'),
    ],
)
def test_no_locale_ends_a_command_and_json_stays_json(
    locale: str, encoding: str, text: str, json_text: str
) -> None:
    """An ASCII locale gets UTF-8; what any other lacks is escaped."""
    ended = subprocess.run(
        [sys.executable, "-c", SHOWS],
        capture_output=True,
        encoding=encoding,
        timeout=60,
        env=os.environ | {"PYTHONIOENCODING": locale},
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.splitlines() == ["key", text, f'{{"key": {json_text}}}']
    assert ended.stderr == f"{text}\n"


@pytest.mark.parametrize("program", ["consumer", "producer", "devstack"])
def test_every_program_has_a_version_and_completes_its_commands(program: str) -> None:
    def ask(*arguments: str, **environment: str) -> str:
        return subprocess.run(
            [sys.executable, "-m", program, *arguments],
            capture_output=True,
            text=True,
            timeout=60,
            env=os.environ | environment,
            check=True,
        ).stdout

    assert ask("--version") == f"{program} {version('coco-ingest')}\n"
    assert f"_{program.upper()}_COMPLETE" in ask("--show-completion", "bash").upper()
