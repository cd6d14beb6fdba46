"""Unit tests start no processes: what does is an integration test, and `make unit` stays quick."""

import subprocess
from typing import Any, NoReturn

import pytest


@pytest.fixture(autouse=True)
def no_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse to start a process."""

    def refuse(_self: Any, arguments: Any, *_args: Any, **_options: Any) -> NoReturn:
        raise AssertionError(f"a unit test starts {arguments}; make it an integration test")

    monkeypatch.setattr(subprocess.Popen, "__init__", refuse)
