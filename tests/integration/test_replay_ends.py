"""Which ledger rows are the end of a replayed object."""

from typing import Any

import psycopg
import pytest

from consumer.operate.dlq.replay_results import open_ledger
from schemas.envelopes import ObjectEvent
from tests.support.consumer_fakes import BUCKET
from tests.support.warehouse import Warehouse

KEY = "raw/erp/a.json"
INSERT = """
    INSERT INTO ingested_objects (
        bucket, object_key, version_id, etag, source, state, error_code, event_time, event_order,
        received_at, committed_at
    )
    VALUES (
        %(bucket)s, %(object_key)s, %(version_id)s, %(etag)s, 'erp', %(state)s,
        CASE %(state)s WHEN 'dead_lettered' THEN 'json_malformed' END,
        now(), 'a', now(), now() + %(minutes)s * interval '1 minute'
    )
"""


def row(state: str = "loaded", minutes: int = 60, **changed: Any) -> dict[str, Any]:
    """Give a ledger row, committed so long after the replay began; before it, if negative."""
    identity = {"bucket": BUCKET, "object_key": KEY, "version_id": None, "etag": "e1"}
    return identity | {"state": state, "minutes": minutes} | changed


OLD, NEW = -60, 60


@pytest.mark.parametrize(
    ("event", "rows", "is_drained", "expected"),
    [
        ({}, [], False, None),
        ({}, [row()], False, "loaded"),
        ({}, [row(object_key="raw/erp/b.json")], False, None),
        ({}, [row(bucket="another")], False, None),
        ({}, [row(minutes=OLD)], False, None),
        ({}, [row("dead_lettered", OLD, etag="e0"), row()], False, "loaded"),
        ({}, [row(), row("dead_lettered", NEW + 1, etag="e2")], False, "dead_lettered"),
        ({"etag": "e1"}, [row()], False, "loaded"),
        ({"etag": "e2"}, [row()], False, None),
        ({"version_id": "v1"}, [row(version_id="v1", etag="other")], False, "loaded"),
        ({"version_id": "v1", "etag": "e1"}, [row(version_id="v2")], False, None),
        ({}, [row("superseded")], False, "superseded"),
        ({}, [row("ignored")], False, "ignored"),
        # An outdated event of a loaded object leaves its row as it was; no other old row counts.
        ({}, [row(minutes=OLD)], True, "loaded"),
        ({}, [row("dead_lettered", OLD)], True, None),
        ({}, [row("superseded", OLD)], True, None),
    ],
)
def test_a_row_that_is_new_and_about_the_same_version_is_the_end(
    warehouse: Warehouse,
    event: dict[str, Any],
    rows: list[dict[str, Any]],
    *,
    is_drained: bool,
    expected: str | None,
) -> None:
    async def ask() -> list[tuple[int, Any]]:
        unknown = ObjectEvent(BUCKET, "raw/erp/unknown.json", "ObjectCreated:Put")
        announced = ObjectEvent(BUCKET, KEY, "ObjectCreated:Put", **event)
        async with open_ledger(warehouse.settings) as ledger:
            return await ledger.ends([unknown, announced], is_drained=is_drained)

    with psycopg.connect(**warehouse.settings.conninfo) as connection:
        connection.cursor().executemany(INSERT, rows)
    ends = warehouse.runner.run(ask())
    told = [(place, end.object_key, end.result) for place, end in ends]
    assert told == ([] if expected is None else [(1, KEY, expected)])
    for _, end in ends:
        assert end.error_code == ("json_malformed" if expected == "dead_lettered" else None)
