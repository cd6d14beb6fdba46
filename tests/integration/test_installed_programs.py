"""What the image holds, runtime.lock and the wheel and nothing else, starts every program."""

import http.client
import json
import os
import re
import signal
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hatchling.builders.wheel import WheelBuilder

from devstack.api import answers_health
from devstack.server import free_port
from tests.support.programs import until

ROOT = Path(__file__).parent.parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PROGRAMS = sorted(PROJECT["project"]["scripts"])
PRODUCT = [
    name
    for name in PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    if name not in {"devstack", "lakehouse"}  # the lakehouse needs its extra, and a lock of its own
]
# Few of their modules are imported here.
QUICKLY = ("--quiet", "--no-compile", "--disable-pip-version-check")
IMPORT_ALL = """
import importlib, pkgutil, sys
for name in sys.argv[1:]:
    package = importlib.import_module(name)
    for module in pkgutil.walk_packages(package.__path__, name + "."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
"""


@pytest.fixture(scope="module")
def bin_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install runtime.lock and the wheel into an empty environment, as the Dockerfile does."""
    directory = tmp_path_factory.mktemp("installed")
    [wheel] = WheelBuilder(str(ROOT)).build(directory=str(directory), versions=["standard"])
    programs = directory / "environment" / "bin"
    subprocess.run(
        [sys.executable, "-m", "venv", "--without-pip", str(programs.parent)], check=True
    )
    # The pip of this environment is that of requirements/pip.lock.
    pip = [sys.executable, "-m", "pip", "--python", str(programs / "python"), "install", *QUICKLY]
    lock = str(ROOT / "requirements" / "runtime.lock")
    subprocess.run([*pip, "--only-binary", ":all:", "--require-hashes", "-r", lock], check=True)
    subprocess.run([*pip, "--no-deps", wheel], check=True)
    return programs


def environment_outside() -> dict[str, str]:
    """Return our environment without what would lead to the modules of this checkout."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}


@pytest.mark.parametrize("program", PROGRAMS)
def test_every_program_shows_its_help(bin_directory: Path, program: str, tmp_path: Path) -> None:
    shown = subprocess.run(
        [bin_directory / program, "--help"],
        cwd=tmp_path,
        env=environment_outside(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert shown.returncode == 0, shown.stderr
    assert re.search(rf"Usage: {program}\b", shown.stdout, re.IGNORECASE)


def test_every_module_of_the_product_needs_only_what_the_lock_names(
    bin_directory: Path, tmp_path: Path
) -> None:
    """Help is shown without loading everything; a missing package would show up months later."""
    imported = subprocess.run(
        [bin_directory / "python", "-c", IMPORT_ALL, *PRODUCT],
        cwd=tmp_path,
        env=environment_outside(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert imported.returncode == 0, imported.stderr


@contextmanager
def serving(bin_directory: Path, port: int, directory: Path) -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(
        [bin_directory / "devstack", "api", "--port", str(port)],
        cwd=directory,
        env={**environment_outside(), "API_TOKEN": ""},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    ) as server:
        try:
            yield server
        finally:
            server.kill()


def test_the_simulated_api_serves_and_ends_well_when_told_to_stop(
    bin_directory: Path, tmp_path: Path
) -> None:
    port = free_port()
    with serving(bin_directory, port, tmp_path) as server:
        until(lambda: answers_health(port), "the API answers")
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        request = json.dumps({"busDt": "2024-01-01", "storeId": "001"})
        connection.request(
            "POST", "/res/getGuestChecks", request, {"content-type": "application/json"}
        )
        answer = connection.getresponse()
        assert (answer.status, "guestChecks" in json.loads(answer.read())) == (200, True)
        connection.close()
        server.send_signal(signal.SIGTERM)
        output, _ = server.communicate(timeout=10)
    assert (server.returncode, output) == (0, b"")
