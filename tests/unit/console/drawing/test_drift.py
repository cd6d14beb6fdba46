"""Drift: what is drawn of a field, and the lines that are copied."""

from datetime import date
from typing import Any

from console.drawing.drift import HEIGHT, alias, findings
from consumer.drift.findings import MISSING, RENAMED, UNKNOWN
from consumer.drift.renames import remedy
from schemas.registry import Source

NEW = "guestChecks.employeeNum"


def row(path: str, kind: str, detail: str | None = None) -> dict[str, Any]:
    return {"source": "getGuestChecks", "path": path, "kind": kind, "detail": detail}


def test_a_renamed_field_is_not_shown_as_missing_as_well() -> None:
    told = remedy(Source.GUEST_CHECKS, "guestChecks", "employeeNum", "empNum")
    found = findings(
        [
            row(NEW, RENAMED, told),
            row("guestChecks.empNum", MISSING),
            row("guestChecks.x", MISSING),
        ],
        [],
    )
    assert [[fill.path for fill in one.fills] for one in found] == [
        ["guestChecks.empNum", NEW],
        ["guestChecks.x"],
    ]
    assert found[0].alias == '[getGuestChecks]\n"guestChecks.empNum" = ["employeeNum"]'


def test_a_name_that_breaks_the_line_is_told_in_words() -> None:
    assert alias(row(NEW, RENAMED, "something else")) is None
    [only] = findings([row(NEW, RENAMED, None)], [])
    assert (only.alias, [fill.path for fill in only.fills]) == (None, [NEW])


def test_a_week_is_a_bar_as_high_as_its_share() -> None:
    weeks = [
        {"source": "getGuestChecks", "path": NEW, "week": date(2024, 3, 4 + 7 * n), "records": 10, "filled": filled}
        for n, filled in enumerate((10, 5, 0))
    ]  # fmt: skip
    [only] = findings([row(NEW, UNKNOWN)], weeks)
    [fill] = only.fills
    assert f"v-{HEIGHT}h" in fill.drawn
    assert f"v-{HEIGHT // 2}h" in fill.drawn
    assert fill.drawn.count("M") == 2
    assert fill.told == "100% to 0% filled"
