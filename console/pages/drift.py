"""Drift: fields that were renamed, went missing, changed their type or are new."""

from fastapi import Response

from console.data.servers import Source
from console.drawing import drift as drawing
from console.web.page import Section, Visit
from console.web.parameters import Text
from consumer.drift.findings import DUPLICATE, FUTURE, LINE_TYPE, MISSING, RENAMED, RETYPED, UNKNOWN

SECTION = Section("/drift", "Drift")

_MOST = 150
_LOOKS = {
    FUTURE: "dead_lettered",
    RENAMED: "dead_lettered",
    MISSING: "missing",
    RETYPED: "late",
    LINE_TYPE: "late",
    DUPLICATE: "late",
    UNKNOWN: "",
}


@SECTION.router.get(SECTION.path)
async def show(page: Visit, unknown: Text = None) -> Response:
    """Show what changed upstream, what can be acted on first; unknown fields only if asked for."""
    report = page.servers.drift
    drift = await report.newest()
    if report.failure is not None:
        page.unanswered[Source.DATABASE] = str(report.failure)
    if drift is None:
        return page.render("drift.html", drift=None, is_coming=report.is_being_read)
    rows = [row for row in drift.rows if unknown or row["kind"] != UNKNOWN]
    return page.render(
        "drift.html",
        drift=drift,
        is_coming=False,
        findings=drawing.findings(rows[:_MOST], drift.weeks or ()),
        hidden=len(drift.rows) - len(rows),
        more=max(0, len(rows) - _MOST),
        draw=drawing,
        looks=_LOOKS,
    )
