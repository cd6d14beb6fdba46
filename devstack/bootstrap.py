"""Makes the two virtual environments: `.venv` for the project, `.venv-localstack` for LocalStack.

Run by `make setup` with whatever Python the machine has, so this file uses the standard library
only and older interpreters can read it. The two are made side by side. When nothing has changed it
ends at once; what was interrupted is done again; two runs at the same time take turns.
"""

import concurrent.futures
import contextlib
import fcntl
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Iterator, NamedTuple  # noqa: UP035 - read by older interpreters

OLDEST = (3, 11)
ROOT = Path(__file__).resolve().parent.parent
_INSTALLER_LOCK = ROOT / "requirements" / "pip.lock"
_SPINNER = "|/-\\"
_TAIL_LINES = 15
_TICK_SECONDS = 0.2
_QUIET_NOTE_SECONDS = 15.0
_STOP = threading.Event()  # one of the two failed, or the user interrupted: the other one ends, too


class Environment(NamedTuple):
    """One virtual environment, the lock file it is installed from, and whether it has us."""

    directory: Path
    lock: Path
    holds_project: bool


class SetupError(Exception):
    """The set-up cannot go on; the message says what to do."""


def main(root: Path = ROOT, *, any_python: bool = False) -> int:
    """Bring both environments up to date; return the exit code.

    Args:
        root: The project's directory.
        any_python: Keep environments that another interpreter made, if they are complete.
    """
    if sys.version_info < OLDEST:
        return _continue_with_newer_python()
    began = time.monotonic()
    own_lock = root / "requirements" / "dev.lock"
    servers_lock = root / "localstack-init" / "localstack.lock"
    environments = (
        Environment(root / ".venv", own_lock, holds_project=True),
        Environment(root / ".venv-localstack", servers_lock, holds_project=False),
    )
    try:
        with _only_one(root):
            worked = _side_by_side(environments, root, any_python=any_python)
    except SetupError as error:
        sys.stderr.write(f"setup: {error}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("\nsetup: interrupted; the next run does the rest\n")
        return 130
    if worked:
        _say(f"done in {time.monotonic() - began:.0f} s")
    return 0


def _side_by_side(environments: "tuple[Environment, ...]", root: Path, *, any_python: bool) -> bool:
    """Bring all environments up to date at once; return whether there was anything to do.

    Raises:
        SetupError: a step of one failed; the others were stopped.
    """
    _STOP.clear()
    with concurrent.futures.ThreadPoolExecutor(len(environments)) as pool:
        futures = [
            pool.submit(bring_up_to_date, environment, root, any_python=any_python)
            for environment in environments
        ]
        worked = False
        try:
            for future in concurrent.futures.as_completed(futures):
                worked = future.result() or worked
        except BaseException:
            _STOP.set()
            raise
    return worked


def bring_up_to_date(environment: Environment, root: Path, *, any_python: bool = False) -> bool:
    """Install what is missing or out of date; return whether there was anything to do.

    Raises:
        SetupError: a step failed; its log is kept in the environment's directory.
    """
    # Stamps are written last, so that what was interrupted has none.
    packages, project = environment.directory / ".packages", environment.directory / ".project"
    worked = False
    if not _is_current(environment, packages, any_python=any_python):
        _install_packages(environment)
        packages.write_text(f"{fingerprint(environment.lock)} {_interpreter()}")
        worked = True
    wanted = fingerprint(root / "pyproject.toml") if environment.holds_project else ""
    if wanted and _read(project) != wanted:
        _say(f"{environment.directory.name}: installing the project itself")
        options = ["--no-deps", "--no-build-isolation", "--editable", str(root)]
        _pip(environment, options)
        project.write_text(wanted)
        worked = True
    return worked


def fingerprint(path: Path) -> str:
    """Return a hash of a file's content."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _is_current(environment: Environment, stamp: Path, *, any_python: bool) -> bool:
    lock, _, interpreter = _read(stamp).partition(" ")
    return (
        lock == fingerprint(environment.lock)
        and (any_python or interpreter == _interpreter())
        and (environment.directory / "bin" / "python").exists()
    )


def _interpreter() -> str:
    return hashlib.sha256(f"{sys.version} {sys.base_prefix}".encode()).hexdigest()


def _install_packages(environment: Environment) -> None:
    if importlib.util.find_spec("ensurepip") is None:
        raise SetupError(
            f"{sys.executable} comes without venv and pip; on Debian and Ubuntu: "
            "apt install python3-venv, or name another one: make setup PYTHON=/path/to/python3.11"
        )
    lines = environment.lock.read_text().splitlines()
    count = sum(1 for line in lines if line[:1] not in ("", " ", "#"))
    name = environment.directory.name
    version = ".".join(map(str, sys.version_info[:3]))
    _say(f"{name}: creating it with Python {version}")
    # Emptied first: half an installation, or one of another lock, is not to be trusted.
    shutil.rmtree(environment.directory, ignore_errors=True)
    environment.directory.mkdir()
    # Ours may be the interpreter of a virtual environment, even of the one just emptied.
    python = getattr(sys, "_base_executable", None) or sys.executable
    pip = [] if count else ["--without-pip"]
    _step(environment, [python, "-m", "venv", *pip, str(environment.directory)])
    if not count:
        return
    _say(f"{name}: installing {count} packages from {environment.lock.name}")
    # The pip that comes with Python 3.11 needs two minutes for what a newer one does in 40 seconds.
    _pip(environment, ["--require-hashes", "--requirement", str(_INSTALLER_LOCK)])
    # Most modules are never imported: Python compiles the others when they first are.
    options = ["--no-compile", "--require-hashes", "--requirement", str(environment.lock)]
    _pip(environment, options)


def _pip(environment: Environment, options: "list[str]") -> None:
    python = str(environment.directory / "bin" / "python")
    quiet = ["--quiet", "--disable-pip-version-check", "--no-input"]
    _step(environment, [python, "-m", "pip", "install", *quiet, *options])


def _step(environment: Environment, command: "list[str]") -> None:
    """Run one step with its output in the log; show that it is alive.

    Raises:
        SetupError: it failed; the message ends with the log's last lines.
    """
    log = environment.directory / "setup.log"
    began = time.monotonic()
    kept = {k: v for k, v in os.environ.items() if k not in ("PYTHONHOME", "PYTHONPATH")}
    with log.open("ab") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, env=kept)
        try:
            code = _wait_visibly(process)
        except BaseException:
            process.kill()
            process.wait()
            raise
    if code != 0:
        tail = log.read_text(errors="replace").splitlines()[-_TAIL_LINES:]
        shown = "\n".join(f"    {line}" for line in tail)
        what = " ".join(command[1:4])
        raise SetupError(f"`{what}` failed with code {code}; the end of {log}:\n{shown}")
    _say(f"{environment.directory.name}: ok ({time.monotonic() - began:.0f} s)")


def _wait_visibly(process: "subprocess.Popen[bytes]") -> int:
    """Wait for a process; a spinner on a terminal, a line now and then elsewhere."""
    began = noted = time.monotonic()
    on_terminal = sys.stderr.isatty()
    turn = 0
    while True:
        with contextlib.suppress(subprocess.TimeoutExpired):
            code = process.wait(_TICK_SECONDS)
            if on_terminal:
                sys.stderr.write("\r\x1b[K")
            return code
        if _STOP.is_set():
            raise SetupError("stopped")
        now = time.monotonic()
        turn += 1
        if on_terminal:
            sys.stderr.write(f"\r  {_SPINNER[turn % 4]} {now - began:.0f} s")
            sys.stderr.flush()
        elif now - noted > _QUIET_NOTE_SECONDS:
            noted = now
            _say(f"  still at it ({now - began:.0f} s)")


@contextlib.contextmanager
def _only_one(root: Path) -> Iterator[None]:
    """Hold a lock on the project's directory, so that no lock file is left anywhere."""
    directory = os.open(root, os.O_RDONLY)
    try:
        try:
            fcntl.flock(directory, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _say("another setup is running here; waiting for it")
            fcntl.flock(directory, fcntl.LOCK_EX)
        yield
    finally:
        os.close(directory)


def _continue_with_newer_python() -> int:
    """Start again with a newer Python from PATH; a shim that does not work does not count."""
    quiet = subprocess.DEVNULL
    for name in ("python3.14", "python3.13", "python3.12", "python3.11"):
        path = shutil.which(name)
        probe = [path or name, "-c", ""]
        if path and subprocess.call(probe, stdout=quiet, stderr=quiet) == 0:
            sys.stdout.flush()
            os.execv(path, [path, *sys.argv])  # noqa: S606 - replaces this process on purpose
    found = ".".join(map(str, sys.version_info[:3]))
    sys.stderr.write(
        f"setup: Python 3.11 or newer is needed; {sys.executable} is {found}, and no working "
        "python3.11 to python3.14 is on PATH. Name one: make setup PYTHON=/path/to/python3.11\n"
    )
    return 1


def _read(stamp: Path) -> str:
    try:
        return stamp.read_text()
    except OSError:
        return ""


def _say(text: str) -> None:
    sys.stderr.write(f"setup: {text}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main(any_python="--any-python" in sys.argv[1:]))
