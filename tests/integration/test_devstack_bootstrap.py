"""The set-up, on a small project of its own: real virtual environments, empty lock files."""

import fcntl
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from devstack import bootstrap
from devstack.bootstrap import Environment, SetupError, bring_up_to_date


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Give a project whose LocalStack needs nothing and whose own environment is not made."""
    lock = tmp_path / "localstack-init" / "localstack.lock"
    lock.parent.mkdir()
    lock.write_text("# nothing\n")
    return tmp_path


def environment_of(project: Path) -> Environment:
    lock = project / "localstack-init" / "localstack.lock"
    return Environment(project / ".venv-x", lock, holds_project=False)


def test_what_is_up_to_date_is_left_alone_and_what_was_interrupted_is_made_again(
    project: Path,
) -> None:
    """The stamp is written last: without it, or with another lock, everything is made anew."""
    environment = environment_of(project)
    debris = environment.directory / "debris"
    assert bring_up_to_date(environment, project)
    assert (environment.directory / "bin" / "python").exists()
    debris.touch()
    assert not bring_up_to_date(environment, project)
    assert debris.exists()
    (environment.directory / ".packages").unlink()
    assert bring_up_to_date(environment, project)
    assert not debris.exists()


def test_another_lock_or_a_named_other_interpreter_makes_it_anew(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An interpreter that nobody named does not: the one chosen before stays."""
    environment = environment_of(project)
    made: list[str] = []

    def make(environment: Environment) -> None:
        (environment.directory / "bin").mkdir(parents=True, exist_ok=True)
        (environment.directory / "bin" / "python").touch()
        made.append(sys.version)

    monkeypatch.setattr(bootstrap, "_install_packages", make)
    assert bring_up_to_date(environment, project)
    assert not bring_up_to_date(environment, project)
    environment.lock.write_text("# something\n")
    assert bring_up_to_date(environment, project)
    monkeypatch.setattr(sys, "version", "3.99")
    assert not bring_up_to_date(environment, project, any_python=True)
    assert bring_up_to_date(environment, project)
    (environment.directory / "bin" / "python").unlink()
    assert bring_up_to_date(environment, project, any_python=True)
    assert len(made) == 4


def test_a_failed_installation_names_the_end_of_its_log_and_leaves_no_stamp(project: Path) -> None:
    environment = environment_of(project)
    environment.lock.write_text(
        f"missing @ file://{project}/missing-1-py3-none-any.whl --hash=sha256:{'0' * 64}\n"
    )
    with pytest.raises(
        SetupError, match=r"pip.* failed with code 1; the end of .*setup\.log"
    ) as failure:
        bring_up_to_date(environment, project)
    assert "missing-1-py3-none-any.whl" in str(failure.value).partition("the end of")[2]
    assert not (environment.directory / ".packages").exists()


def test_when_one_environment_fails_the_other_is_stopped(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ten minutes of installing beside an error that is known would only hide it."""
    began = time.monotonic()

    def make(environment: Environment) -> None:
        (environment.directory).mkdir()
        slow = "import time; time.sleep(600)"
        script = slow if environment.holds_project else "import sys; sys.exit('no room')"
        bootstrap._step(environment, [sys.executable, "-c", script])

    monkeypatch.setattr(bootstrap, "_install_packages", make)
    failing = environment_of(project)
    slow = Environment(project / ".venv-y", failing.lock, holds_project=True)
    with pytest.raises(SetupError, match=r"(?s)failed with code 1.*no room"):
        bootstrap._side_by_side((slow, failing), project, any_python=False)
    assert time.monotonic() - began < 60


def test_a_python_without_pip_says_what_to_install(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Debian ships venv and ensurepip in a package of their own."""
    monkeypatch.setattr(bootstrap.importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(SetupError, match="apt install python3-venv"):
        bring_up_to_date(environment_of(project), project)


def test_a_second_set_up_waits_for_the_first(project: Path) -> None:
    """Both environments count as made, so that the second has nothing to do but wait."""
    (project / "requirements").mkdir()
    (project / "requirements" / "dev.lock").touch()
    (project / "pyproject.toml").touch()
    script = f"""
import sys
import time
from pathlib import Path
sys.path.insert(0, {str(bootstrap.ROOT)!r})
from devstack import bootstrap
bootstrap.bring_up_to_date = lambda *_, **__: False
sys.exit(bootstrap.main(Path({str(project)!r})))
"""
    directory = os.open(project, os.O_RDONLY)
    try:
        fcntl.flock(directory, fcntl.LOCK_EX)
        second = subprocess.Popen([sys.executable, "-c", script], stderr=subprocess.PIPE, text=True)
        assert second.stderr is not None
        assert "another setup is running" in second.stderr.readline()
        assert second.poll() is None
    finally:
        os.close(directory)
    _, said = second.communicate(timeout=10)
    assert (second.returncode, said) == (0, "")
