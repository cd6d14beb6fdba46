"""The guide to the tests names modules that are there."""

import re
from pathlib import Path

TESTS = Path(__file__).parent.parent
GUIDE = TESTS.parent / "docs" / "testing.md"


def test_every_module_that_is_named_is_there() -> None:
    named = set(re.findall(r"`(\w[\w/]+\.py)`", GUIDE.read_text(encoding="utf-8")))
    assert len(named) > 20
    assert [] == [name for name in sorted(named) if not (TESTS / name).exists()]
