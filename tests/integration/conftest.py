"""Fixtures for tests on a database, and for those that start devstack themselves."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from devstack.localstack import PYTHON_VARIABLE
from tests.conftest import Servers
from tests.support.databases import own_database
from tests.support.lifetimes import STAND_IN, STARTED, processes_of
from tests.support.programs import run_by
from tests.support.simulator import running, settings_of
from tests.support.warehouse import Warehouse, open_warehouse
from tests.support.warm import fork_warm

__all__ = ["running", "settings_of"]


@pytest.fixture(scope="module", autouse=True)
def _warm_programs() -> Iterator[None]:
    """Fork programs from a process that has imported them; e2e starts them as users do."""
    with run_by(fork_warm):
        yield


@pytest.fixture(scope="module")
def opened(stack: Servers) -> Iterator[Warehouse]:
    """Give a migrated database of the module's own."""
    with (
        own_database(stack.environment) as database,
        open_warehouse(database, sessions=1) as warehouse,
    ):
        yield warehouse


@pytest.fixture
def warehouse(opened: Warehouse) -> Warehouse:
    """Give the module's database, emptied."""
    opened.empty()
    return opened


@pytest.fixture
def workspace() -> Iterator[Path]:
    """Give a directory that is TMPDIR and working directory of the devstack under test.

    Short, because a socket lies below it; open, because PostgreSQL may run as another user.
    """
    path = Path(tempfile.mkdtemp(prefix="life-", dir="/tmp"))
    path.chmod(0o711)
    yield path
    for process in processes_of(path):
        process.kill()
    while STARTED:
        running = STARTED.pop()
        running.kill()
        with running:
            pass
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def stand_in(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put the stand-in in LocalStack's place."""
    script = workspace / "stand-in"
    script.write_text(STAND_IN)
    script.chmod(0o755)
    monkeypatch.setenv(PYTHON_VARIABLE, str(script))
    return script
