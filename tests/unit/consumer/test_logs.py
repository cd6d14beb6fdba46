"""The process's own log: JSON lines on stderr, from libraries too."""

import json
import subprocess
import sys

from consumer.errors import where

SAYS = """
import logging, structlog
from consumer.logs import configure_logs
configure_logs("INFO")
structlog.get_logger().debug("too_quiet")
structlog.get_logger().info("ours", size=1)
logging.getLogger("psycopg.pool").warning("error connecting\\nTraceback: private")
logging.getLogger("botocore").info("chatter")
"""


def test_every_line_is_json_whoever_says_it() -> None:
    said = subprocess.run(
        [sys.executable, "-c", SAYS], capture_output=True, text=True, check=True, timeout=60
    )
    ours, library = map(json.loads, said.stderr.splitlines())
    assert (ours["event"], ours["level"], ours["size"]) == ("ours", "info", 1)
    assert (library["level"], library["logger"]) == ("warning", "psycopg.pool")
    assert library["said"] == "error connecting"


def test_where_a_bug_is_can_be_told_without_what_it_says() -> None:
    def deep_inside() -> None:
        raise KeyError("the customer's name")

    try:
        deep_inside()
    except KeyError as bug:
        told = where(bug)
    assert told.startswith("KeyError < ")
    assert "deep_inside" in told
    assert "customer" not in told
