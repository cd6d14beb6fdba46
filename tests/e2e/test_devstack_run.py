"""The `devstack` command as people use it: the guided tour, to its end and interrupted."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

DEVSTACK = str(Path(sys.executable).with_name("devstack"))
TIMEOUT_SECONDS = 280


@pytest.fixture
def tour(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """Start the tour in a process group of its own, as a shell would."""
    process = subprocess.Popen(
        [DEVSTACK, "demo"],
        cwd=tmp_path,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**os.environ, "COLUMNS": "120", "PYTHONUNBUFFERED": "1"},
        process_group=0,
        text=True,
    )
    yield process
    process.kill()
    process.communicate()


def test_the_tour_ends_with_every_number_as_it_should_be(tour: subprocess.Popen[str]) -> None:
    """It checks itself against the ERP's own totals; 0 means that all of them agree."""
    said, _ = tour.communicate(timeout=TIMEOUT_SECONDS)
    assert tour.returncode == 0, said
    assert "Every number is what it should be." in said
    assert "json_malformed" in said
    assert "differs" not in said
    assert "revenue of 365 store-days equals what the ERP generated" in said
    assert "suspected_rename" in said
    assert re.search(r"checks without an employee: [1-9]\d* before, 0 now", said)


def test_an_interrupted_tour_ends_with_130_and_leaves_nothing(tour: subprocess.Popen[str]) -> None:
    """Ctrl-C while a program runs: the program may end well, the tour still counts as broken off."""
    assert tour.stdout is not None
    said = ""
    while "$ consumer run" not in said:
        line = tour.stdout.readline()
        assert line, said
        said += line
    os.killpg(tour.pid, signal.SIGINT)
    rest, _ = tour.communicate(timeout=TIMEOUT_SECONDS)
    assert tour.returncode == 130, said + rest
    # A program caught while it imports may complain; the tour itself does not.
    assert "/devstack/" not in rest.partition("Traceback")[2]
    assert "Every number" not in rest
