"""Prometheus and promtool: those on PATH, or those of Debian's package, unpacked without root."""

import shutil
import subprocess
from pathlib import Path

import pytest


def program(name: str, folder: Path) -> str:
    """Return the path of promtool or prometheus; skip the test, saying why, where there is none.

    Args:
        name: which of the two.
        folder: where the package is unpacked; a second call finds it there.
    """
    if found := shutil.which(name):
        return found
    unpacked = folder / "usr" / "bin" / name
    if not unpacked.exists():
        _unpack(folder)
    return str(unpacked)


def _unpack(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for command in (["apt-get", "download", "prometheus"], ["dpkg", "-x"]):
        if shutil.which(command[0]) is None:
            pytest.skip(
                f"NOT CHECKED: prometheus is not on PATH, and there is no {command[0]} to fetch it"
            )
        packages = [str(path) for path in folder.glob("*.deb")]
        arguments = [*packages, str(folder)] if command[0] == "dpkg" else []
        done = subprocess.run(
            [*command, *arguments], cwd=folder, capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            pytest.skip(f"NOT CHECKED: {' '.join(command)}: {done.stderr.strip().splitlines()[-1]}")
