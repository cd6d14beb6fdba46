"""Doctor: what is wrong with settings, permissions, queues, bucket and database; by a button."""

from dataclasses import replace

from fastapi import Response

from console.web.operators import Operator
from console.web.page import Section, Visit
from consumer.operate.doctor.announcing import AnnouncingSettings
from consumer.operate.doctor.command import examine
from consumer.operate.doctor.database import RIGHTS
from consumer.operate.doctor.roles import NEEDS, Role

SECTION = Section("/doctor", "Doctor")
# What operators need, without a look at dead letters, which hides them for a while, and of the
# tables no more than to read them.
_NEEDS = replace(
    NEEDS[Role.OPERATE], looks_at_dead_letters=False, tables=dict.fromkeys(RIGHTS, ("SELECT",))
)


@SECTION.router.get(SECTION.path)
async def show(page: Visit) -> Response:
    """Offer the button."""
    return page.render("doctor.html", findings=None)


@SECTION.router.post(SECTION.path)
async def ask(page: Visit, _operator: Operator) -> Response:
    """Examine everything: ten seconds at most. Receives no message, and changes nothing."""
    findings = await examine(page.servers.settings, AnnouncingSettings(), _NEEDS)
    order = ("problem", "warning", "unknown", "ok")
    return page.render(
        "doctor.html", findings=sorted(findings, key=lambda one: order.index(one.level))
    )
