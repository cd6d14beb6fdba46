"""Finds a browser for the tests, or gets one; needs neither root nor Docker.

In this order: what TEST_BROWSER names; what an earlier run found or got, in `.browser`; an installed
Chrome, Chromium or Edge; Playwright's own download; the npm package that is pinned below; apt.
"""

import fcntl
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.browser.getting import Unavailable, by_apt, by_npm, by_playwright

CACHE = Path(__file__).parents[3] / ".browser"
_NAMES = (
    "google-chrome-stable",
    "google-chrome",
    "chromium",
    "chromium-browser",
    "chromium-headless-shell",
    "microsoft-edge-stable",
    "microsoft-edge",
    "msedge",
)
_MAC = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
)
_ANSWER_SECONDS = 30

Tell = Callable[[str], object]


class NoBrowser(Exception):
    """There is none; the message names all that was tried, and what to do."""


@dataclass(frozen=True)
class Browser:
    """A browser that starts; one that was unpacked from a package has its libraries beside it."""

    path: Path

    @property
    def environment(self) -> dict[str, str]:
        """What to start it with."""
        return _environment(self.path)


def find_browser(tell: Tell, cache: Path = CACHE) -> Browser:
    """Return a browser that starts. Blocks, up to minutes when one must be fetched.

    Several processes may ask at once: one searches, the others wait and take what it found.

    Raises:
        NoBrowser: there is none, and none can be had.
    """
    if named := os.environ.get("TEST_BROWSER"):
        if not _starts(Path(named)):
            raise NoBrowser(f"TEST_BROWSER={named} does not start; correct it, or unset it")
        return Browser(Path(named))
    cache.mkdir(exist_ok=True)
    with _only_one(cache):
        return Browser(_known(cache) or _searched(cache, tell))


def _known(cache: Path) -> Path | None:
    """Return what was found last time, if it still starts."""
    try:
        path = Path((cache / "path").read_text(encoding="utf-8"))
    except OSError:
        return None
    return path if _starts(path) else None


def _searched(cache: Path, tell: Tell) -> Path:
    ways: tuple[Callable[[], Path | None], ...] = (
        _installed,
        lambda: by_playwright(cache, tell),
        lambda: by_npm(cache, tell),
        lambda: by_apt(tell) and _installed(),
    )
    reasons = []
    for way in ways:
        try:
            path = way()
        except Unavailable as error:
            reasons.append(str(error))
            continue
        if path is not None and _starts(path):
            (cache / "path").write_text(str(path), encoding="utf-8")
            tell(f"{path} is used")
            return path
        reasons.append(f"{path} does not start" if path else "no Chrome, Chromium or Edge on PATH")
    raise NoBrowser(
        "the tests of the console need a browser, and none was found: "
        + "; ".join(reasons)
        + ". Install Chrome, Chromium or Edge, or name one in TEST_BROWSER, or let `playwright "
        "install` or npm reach the network. `make unit` needs none."
    )


def _installed() -> Path | None:
    """Return the first of the known browsers that starts."""
    found = (*map(shutil.which, _NAMES), *_MAC)
    return next((Path(path) for path in found if path and _starts(Path(path))), None)


def _starts(path: Path) -> bool:
    """Say whether it can be started here: all libraries there, made for this machine."""
    try:
        asked = subprocess.run(
            [path, "--headless", "--version"],
            capture_output=True,
            timeout=_ANSWER_SECONDS,
            check=False,
            env=_environment(path),
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return asked.returncode == 0


def _environment(path: Path) -> dict[str, str]:
    directory = path.parent
    if not (directory / "lib" / "libnss3.so").exists():
        return dict(os.environ)
    own = {"LD_LIBRARY_PATH": str(directory / "lib"), "FONTCONFIG_PATH": str(directory)}
    return {**os.environ, **own}


@contextmanager
def _only_one(directory: Path) -> Iterator[None]:
    """Hold a lock on the directory itself, so that no lock file is left."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
