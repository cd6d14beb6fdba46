"""The messages in examples/ are explained as its README says."""

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from consumer.cli import cli

EXAMPLES = Path(__file__).parent.parent.parent / "examples"
README = (EXAMPLES / "README.md").read_text(encoding="utf-8")
ROWS = dict(re.findall(r"^\| `(\w+/\w+\.json)` \| .* \| `(\w+)` \|$", README, re.MULTILINE))
MESSAGES = [name for name in ROWS if name.startswith("events/")]


def test_every_example_is_on_the_page() -> None:
    there = {path.relative_to(EXAMPLES).as_posix() for path in EXAMPLES.glob("*/*")}
    assert there == set(ROWS)


@pytest.mark.parametrize("name", MESSAGES)
def test_a_message_is_explained_as_the_page_says(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("BUCKET_NAME", raising=False)
    result = CliRunner().invoke(cli, ["explain", str(EXAMPLES / name)])
    assert json.loads(result.stdout)["decision"] == ROWS[name]


def test_the_messages_name_the_examples_with_their_store() -> None:
    """The key of an answer is percent-encoded once, and once more in what S3 itself sends."""
    native = (EXAMPLES / "events" / "native.json").read_text(encoding="utf-8")
    eventbridge = (EXAMPLES / "events" / "eventbridge.json").read_text(encoding="utf-8")
    assert "storeId%3D042%2520Harbour" in native
    assert "storeId=042%20Harbour" in eventbridge
