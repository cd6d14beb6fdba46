"""A process's own log: JSON lines for machines, text for people, from libraries too."""

import json
import subprocess
import sys

import pytest

SAYS = """
import logging, sys, structlog
from runtime.logs import configure_logs
configure_logs("INFO", sys.argv[1])
structlog.get_logger().debug("too_quiet")
structlog.get_logger().info("batch_committed", rows=1)
logging.getLogger("psycopg.pool").warning("error connecting\\nTraceback: private")
logging.getLogger("botocore").info("chatter")
"""


def lines(log_format: str) -> list[str]:
    """Run a program that logs; its stderr is no terminal."""
    ended = subprocess.run(
        [sys.executable, "-c", SAYS, log_format],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert ended.stdout == ""
    return ended.stderr.splitlines()


@pytest.mark.parametrize("log_format", ["auto", "json"])
def test_without_a_terminal_every_line_is_json_whoever_says_it(log_format: str) -> None:
    ours, library = map(json.loads, lines(log_format))
    assert (ours["event"], ours["level"], ours["rows"]) == ("batch_committed", "info", 1)
    assert (library["level"], library["logger"]) == ("warning", "psycopg.pool")
    assert library["message"] == "error connecting"


def test_people_get_text_where_they_ask_for_it() -> None:
    ours, library = lines("console")
    assert "batch_committed" in ours
    assert "rows=1" in ours
    assert "private" not in library
    assert not ours.startswith("{")
