"""`.venv-deploy`: what tests of deploy/ need beside the project (`requirements/deploy.lock`)."""

import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from devstack.bootstrap import Environment, SetupError, bring_up_to_date

ROOT = Path(__file__).parent.parent.parent
_ENVIRONMENT = Environment(
    ROOT / ".venv-deploy", ROOT / "requirements" / "deploy.lock", holds_project=False
)


def tool(name: str) -> str:
    """Return the path of a program of the environment, which is made or renewed if needed.

    Where it cannot be made, the test is skipped, saying why.
    """
    if failed := _failure():
        pytest.skip(f"NOT CHECKED: there is no {_ENVIRONMENT.directory.name}: {failed}")
    return str(_ENVIRONMENT.directory / "bin" / name)


@cache
def _failure() -> str:
    sys.stderr.write("\n")
    try:
        bring_up_to_date(_ENVIRONMENT, ROOT)
    except SetupError as error:
        return str(error)
    return ""


if __name__ == "__main__":
    # `make dashboard`: run its Python with these arguments.
    bring_up_to_date(_ENVIRONMENT, ROOT)
    sys.exit(subprocess.call([str(_ENVIRONMENT.directory / "bin" / "python"), *sys.argv[1:]]))
