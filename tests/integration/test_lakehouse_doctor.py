"""`consumer doctor` tells of the change feed, without the lakehouse."""

import asyncio
from pathlib import Path

from consumer.operate.doctor.change_feed import check_feed, probe_feed
from consumer.operate.doctor.findings import Level
from lakehouse import feed
from tests.support.lakehouses import execute, folder_lakehouse
from tests.support.warehouse import Warehouse


def told(warehouse: Warehouse) -> list[tuple[Level, str]]:
    findings = check_feed(asyncio.run(probe_feed(warehouse.settings)))
    return [(one.level, one.found) for one in findings]


def test_the_doctor_tells_of_triggers_that_are_off_and_of_days_that_nobody_exports(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    with folder_lakehouse(warehouse.settings, tmp_path) as opened:
        execute(opened, "DELETE FROM lakehouse_changes")
        assert [(Level.OK, "0 changed days are queued for the Iceberg copy")] == told(warehouse)
        execute(
            opened,
            "INSERT INTO lakehouse_changes (topic, noted_at) VALUES ('checks', now() - interval '3 days')",
        )
        [(level, found)] = told(warehouse)
        assert (Level.WARNING, True) == (level, "the oldest for 72 hours" in found)
        execute(opened, "ALTER TABLE taxes DISABLE TRIGGER lakehouse_delete")
        [(level, found)] = told(warehouse)
        assert (Level.PROBLEM, True) == (level, "changes of taxes are not noted" in found)
        assert feed.install(opened.connection), "what was missed while it was off is queued"
        assert not feed.install(opened.connection)
        assert feed.remove(opened.connection)
        assert [] == told(warehouse)
        assert not feed.remove(opened.connection)
