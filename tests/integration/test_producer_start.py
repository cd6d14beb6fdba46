"""The producer's first second: told to stop before there is anything to stop; its help."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

AT_IMPORT = """
import importlib.abc, os, signal, sys

class SignalAtImport(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name == "producer.cli":
            os.kill(os.getpid(), signal.SIGTERM)

sys.meta_path.insert(0, SignalAtImport())
from producer.__main__ import main
main()
"""
BEFORE_WORK = """
import os, signal
import producer.commands.report
producer.commands.report.settings_of = lambda _model: os.kill(os.getpid(), signal.SIGTERM)
from producer.__main__ import main
main()
"""
COMMANDS = {
    "run": ["--every", "1h", "--lookback", "0", "--store", "1"],
    "pull": ["--from", "2024-01-01", "--store", "1"],
}


@pytest.mark.parametrize(("command", "code"), [("run", 0), ("pull", 130)])
@pytest.mark.parametrize("program", [AT_IMPORT, BEFORE_WORK], ids=["at import", "before work"])
def test_told_to_stop_before_it_works_a_daemon_ends_well_and_another_command_says_so(
    tmp_path: Path, program: str, command: str, code: int
) -> None:
    """The races: modules are being imported; the loop does not yet see to signals."""
    result = subprocess.run(
        [sys.executable, "-c", program, command, *COMMANDS[command]],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (result.returncode, result.stdout) == (code, ""), result.stderr
    assert "Traceback" not in result.stderr


def test_importing_the_producer_reads_no_environment() -> None:
    """Otherwise a missing variable would break `--help`."""
    result = subprocess.run(
        [sys.executable, "-m", "producer", "pull", "--help"],
        env={"PATH": os.environ["PATH"], "PULL_CONCURRENCY": "nonsense"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (result.returncode, result.stderr) == (0, "")
    assert "--from" in result.stdout
