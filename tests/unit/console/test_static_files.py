"""Static files: vendored ones are what they say they are, and a URL changes with its file."""

import hashlib
import re
from pathlib import Path

import pytest

from console.web.static_files import static_files, static_url

ROOT = Path(__file__).parent.parent.parent.parent
CONSOLE = ROOT / "console"
VENDOR = CONSOLE / "static" / "vendor"


def test_what_others_wrote_is_unchanged_and_has_its_licence() -> None:
    sums = dict(
        reversed(line.split("  ")) for line in (VENDOR / "SHA256SUMS").read_text().splitlines()
    )
    found = {path.name for path in VENDOR.iterdir()} - {"SHA256SUMS", "README.md"}
    assert found == set(sums)
    for name, digest in sums.items():
        assert hashlib.sha256((VENDOR / name).read_bytes()).hexdigest() == digest
        if name.endswith(".js"):
            assert f"{name.partition('.')[0]}.LICENSE" in sums


def test_a_url_holds_the_digest_of_its_file() -> None:
    url = static_url("console.css")
    digest = hashlib.sha256((CONSOLE / "static" / "console.css").read_bytes()).hexdigest()
    assert url == f"/static/{digest[:12]}/console.css"
    assert static_files()["console.css"].media_type == "text/css"
    with pytest.raises(KeyError):
        static_url("nothing.css")


@pytest.mark.parametrize(
    "path", sorted((CONSOLE / "templates").glob("*.html")), ids=lambda p: p.name
)
def test_no_template_holds_what_the_browser_is_told_to_refuse(path: Path) -> None:
    """Inline scripts and styles, event handlers, and anything from elsewhere."""
    text = path.read_text(encoding="utf-8")
    assert re.findall(r"<script(?! src=)|<style|\sstyle=|\son[a-z]+=|javascript:", text) == []
    assert re.findall(r"(?:src|href|action)=\"https?:", text) == []
    assert re.findall(r"\|\s*safe\b|autoescape false", text) == []


def test_the_styles_fetch_nothing_from_elsewhere() -> None:
    text = (CONSOLE / "static" / "console.css").read_text(encoding="utf-8")
    assert re.findall(r"@import|url\(", text) == []
