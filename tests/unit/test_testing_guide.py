"""The guide to the tests names modules that are there, and tests for every guarantee."""

import re
from pathlib import Path

TESTS = Path(__file__).parent.parent
GUIDE = (TESTS.parent / "docs" / "testing.md").read_text(encoding="utf-8")
README = (TESTS.parent / "README.md").read_text(encoding="utf-8")


def test_every_module_that_is_named_is_there() -> None:
    named = set(re.findall(r"`(\w[\w/*]+\.py)`", GUIDE))
    assert len(named) > 20
    assert [] == [name for name in sorted(named) if not list(TESTS.glob(name))]


def test_every_guarantee_of_the_readme_has_its_tests() -> None:
    guarantees = re.findall(r"^\d+\. \*\*(.+?)\.?\*\*", README, re.MULTILINE)
    held = dict(re.findall(r"^\| (.+?) \| (`.+`) \|$", GUIDE, re.MULTILINE))
    assert len(guarantees) >= 7
    assert [] == [guarantee for guarantee in guarantees if guarantee not in held]
