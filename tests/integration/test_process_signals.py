"""Being told to stop: from the first line of the program to its last."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

DEADLINE_SECONDS = 60
# Waits to be told, and says each step on stdout: not by print, which a handler must not enter twice.
HELD = """
import os, sys
from runtime import signals
signals._SAME_REQUEST_SECONDS = float(sys.argv[1])
signals.leave_when_told()
with signals.stopping_by(lambda: os.write(1, b"told\\n")):
    os.write(1, b"holding\\n")
    sys.stdin.readline()
os.write(1, b"done\\n")
sys.stdin.readline()
"""


@contextmanager
def program(*arguments: str) -> Iterator["subprocess.Popen[str]"]:
    with subprocess.Popen(
        [sys.executable, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def next_line(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def go_on(process: "subprocess.Popen[str]") -> None:
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_daemon_that_is_told_to_stop_while_it_is_imported_ends_in_order(
    number: signal.Signals,
) -> None:
    """The race: the platform changes its mind in the second that importing takes."""
    with program("-X", "importtime", "-m", "consumer", "run") as process:
        assert process.stderr is not None
        for line in process.stderr:
            if line.endswith("| runtime.signals\n"):
                break
        # Once the next module is there, so are the handlers.
        process.stderr.readline()
        process.send_signal(number)
        process.stderr.read()
        assert process.wait(DEADLINE_SECONDS) == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_second_signal_ends_the_process_at_once(number: signal.Signals) -> None:
    with program("-c", HELD, "0") as process:
        assert next_line(process) == "holding"
        process.send_signal(number)
        assert next_line(process) == "told"
        process.send_signal(number)
        assert process.wait(DEADLINE_SECONDS) == 128 + number


def test_nohup_is_heeded() -> None:
    """A program that was started to outlive its terminal does not end with it."""
    ignoring = f"import signal; signal.signal(signal.SIGHUP, signal.SIG_IGN)\n{HELD}"
    with program("-c", ignoring, "1000") as process:
        assert next_line(process) == "holding"
        process.send_signal(signal.SIGHUP)
        go_on(process)
        assert next_line(process) == "done"


def test_one_request_that_arrives_twice_is_one_request() -> None:
    """A terminal sends it to the whole group, and a parent process passes it on as well."""
    with program("-c", HELD, "1000") as process:
        assert next_line(process) == "holding"
        process.send_signal(signal.SIGINT)
        assert next_line(process) == "told"
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGTERM)
        go_on(process)
        assert next_line(process) == "done"
        # Nothing is held any more: what is left to do is not to be interrupted.
        process.send_signal(signal.SIGTERM)
        go_on(process)
        assert process.wait(DEADLINE_SECONDS) == 0
