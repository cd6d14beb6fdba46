"""What every unit test begins with: no processes, and logs on stderr as in the programs."""

import subprocess
from typing import Any, NoReturn

import pytest

from runtime.logs import configure_logs


@pytest.fixture(autouse=True)
def no_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse to start a process: what does is an integration test, and `make unit` stays quick."""

    def refuse(_self: Any, arguments: Any, *_args: Any, **_options: Any) -> NoReturn:
        raise AssertionError(f"a unit test starts {arguments}; make it an integration test")

    monkeypatch.setattr(subprocess.Popen, "__init__", refuse)


@pytest.fixture(autouse=True)
def logs_on_stderr() -> None:
    """Set logs up anew, whatever the test before has left; unconfigured they go to stdout."""
    configure_logs("INFO", "json")
