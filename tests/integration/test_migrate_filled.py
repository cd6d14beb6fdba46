"""Upgrading a database that an older release filled."""

import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row

from consumer.causes import cause_of
from consumer.errors import Permanent
from consumer.load.migrations.migrate import migrate
from consumer.load.migrations.steps import schema_head
from consumer.settings import DatabaseSettings
from schemas.codes import ErrorCode
from schemas.registry import Source
from tests.support.loading import load
from tests.support.released import FIRST_STEP
from tests.support.samples import checks, day_list, full_check
from tests.support.warehouse import database_settings, open_warehouse

Connection = psycopg.Connection[dict[str, Any]]

DECADES = 10**9  # seconds: later than this test runs

# As the first release left them: check 2 is newer and holds line 9, which check 1 names as well.
FILLED = """
INSERT INTO guest_checks (store_id, guest_check_id, last_updated_utc, sub_ttl, as_of, object_id)
VALUES
    ('001', 1, '2024-01-01 10:00Z', 11.50, '2024-01-01 12:00Z', 1),
    ('001', 2, '2024-01-01 11:00Z', 22, '2024-01-01 12:00Z', 1);
INSERT INTO taxes (store_id, guest_check_id, tax_num, tax_rate) VALUES ('001', 1, 28, 21);
INSERT INTO menu_items (store_id, menu_item_id) VALUES ('001', 6042);
INSERT INTO detail_lines (
    store_id, guest_check_id, guest_check_line_item_id, dsp_ttl, line_type, menu_item_id, removed_at
)
VALUES
    ('001', 1, 8, 3, 'menu_item', 6042, NULL),
    ('001', 2, 7, 4, 'menu_item', 6042, '2024-01-01 12:00Z'),
    ('001', 2, 9, 22, 'menu_item', 6042, NULL);
INSERT INTO line_claims (store_id, guest_check_line_item_id, guest_check_id, line)
VALUES (
    '001', 9, 1,
    '{"store_id": "001", "guest_check_id": 1, "guest_check_line_item_id": 9, "dsp_ttl": 11.50,
      "line_type": "menu_item", "menu_item_id": 6042, "detail_utc": "2024-01-01T10:00:00+00:00",
      "extra": {"mood": 1.0}}'
);
INSERT INTO check_patches (store_id, guest_check_id, table_name, child_id, patches)
VALUES
    ('001', 1, 'guest_checks', 0,
     '{"guest_check_id": {"v": 1, "a": "2024-01-01T13:00:00+00:00", "o": "a"},
       "gst_cnt": {"v": 5, "a": "2024-01-01T13:00:00+00:00", "o": "a"}}');
UPDATE guest_checks SET patched = true, gst_cnt = 5 WHERE guest_check_id = 1;
UPDATE guest_checks SET opn_bus_dt = '2024-01-01';
INSERT INTO ingested_objects (
    bucket, object_key, etag, source, store_id, bus_dt, state, quarantined, event_time, event_order,
    received_at
)
VALUES
    ('lake', 'raw/erp/1.json', 'a', 'erp', '001', NULL, 'loaded', 0, '2024-01-01 12:00Z',
     '2024-01-01 12', now()),
    ('lake', 'checks', 'b', 'getGuestChecks', '001', '2024-01-02', 'loaded', 0,
     '2024-01-02 12:00Z', '2024-01-02 12', now()),
    ('lake', 'whole', 'c', 'getTransactions', '001', '2024-01-01', 'loaded', 0,
     '2024-01-02 01:00Z', '2024-01-02 01', now()),
    ('lake', 'torn', 'd', 'getTransactions', '001', '2024-01-01', 'dead_lettered', 1,
     '2024-01-02 02:00Z', '2024-01-02 02', now());
INSERT INTO transactions (store_id, bus_dt, record_id, amount, as_of, object_id)
VALUES
    ('001', '2024-01-01', '1', 21, '2024-01-02 02:00Z', 4),
    ('001', '2024-01-01', '2', 12, '2024-01-02 01:00Z', 3);
INSERT INTO store_day_snapshots VALUES
    ('getTransactions', '001', '2024-01-01', '2024-01-02 02:00Z', '2024-01-02 02', 4,
     '2024-01-02 01:00Z', '2024-01-02 01');
INSERT INTO store_day_gaps VALUES
    (4, 'getTransactions', '001', '2024-01-01', '2024-01-02 02:00Z', '2024-01-02 02', false,
     '{2}');
INSERT INTO schema_drift VALUES
    ('getTransactions', 'transactions.mood', 'unknown', '2024-01-02 01:00Z', '2024-01-02 02:00Z',
     7, 3, 'whole', 'torn', NULL, false),
    ('erp', 'guestChecks.x', 'unknown', '2024-01-01 12:00Z', '2024-01-01 12:00Z', 2, 1,
     'raw/erp/1.json', 'raw/erp/1.json', NULL, false),
    ('erp', 'guestChecks.gstCnt', 'missing', '2024-01-01 12:00Z', '2024-01-01 12:00Z', 9, 1,
     'raw/erp/1.json', 'raw/erp/1.json', NULL, true);
"""

# A clock of 2094 froze a check, what a partial document set in it, and a day.
FROZEN = """
INSERT INTO ingested_objects (
    bucket, object_key, etag, source, store_id, state, event_time, event_order, received_at
)
VALUES ('lake', 'far', 'f', 'erp', '002', 'loaded', '2024-01-01 12:00Z', '2024 far', now());
INSERT INTO guest_checks (
    store_id, guest_check_id, last_updated_utc, gst_cnt, as_of, object_id, patched
)
SELECT '002', 1, '2094-01-01 00:00Z', 9, '2094-01-01 00:00Z', object_id, true FROM ingested_objects WHERE store_id = '002';
INSERT INTO check_patches (store_id, guest_check_id, table_name, child_id, patches)
VALUES ('002', 1, 'guest_checks', 0,
    '{"gst_cnt": {"v": 9, "a": "2094-01-01T00:00:00+00:00", "o": "a"}}');
INSERT INTO store_day_snapshots (
    source, store_id, bus_dt, as_of, event_order, object_id, whole_as_of, whole_event_order
)
SELECT 'getTransactions', '002', '2024-01-01', '2094-01-01 00:00Z', 'a', object_id,
    '2094-01-01 00:00Z', 'a'
FROM ingested_objects WHERE store_id = '002';
INSERT INTO transactions (store_id, bus_dt, record_id, as_of, object_id)
SELECT '002', '2024-01-01', 'frozen', '2094-01-01 00:00Z', object_id FROM ingested_objects WHERE store_id = '002';
"""


@pytest.fixture
def settings(database: dict[str, str]) -> DatabaseSettings:
    return database_settings(database)


@pytest.fixture
def old(settings: DatabaseSettings) -> Iterator[Connection]:
    """A session of a database that the release with step 0001 made and filled."""
    with psycopg.connect(**settings.conninfo, autocommit=True, row_factory=dict_row) as session:
        session.execute(FIRST_STEP.read_bytes())
        session.execute("CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY)")
        session.execute("INSERT INTO alembic_version VALUES ('0001')")
        session.execute(FILLED.encode())
        yield session


# What a schema consists of, in any order of columns.
CATALOG = """
SELECT format('%s.%s %s %s %s', attrelid::regclass, attname, format_type(atttypid, atttypmod),
    attnotnull, col_description(attrelid, attnum))
FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'v') AND attnum > 0
    AND NOT attisdropped AND relname <> 'alembic_version'
UNION ALL
SELECT format('%s: %s %s', oid::regclass, obj_description(oid), reloptions) FROM pg_class
WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'v', 'S', 'i')
    AND relname !~ '^alembic_version'
UNION ALL
SELECT format('%s.%s DEFAULT %s', adrelid::regclass, attname, pg_get_expr(adbin, adrelid))
FROM pg_attrdef JOIN pg_attribute ON (attrelid, attnum) = (adrelid, adnum)
UNION ALL
SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename <> 'alembic_version'
UNION ALL
SELECT format('%s %s %s', conrelid::regclass, conname, pg_get_constraintdef(oid))
FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND conname !~ '^alembic_version'
UNION ALL
SELECT definition FROM pg_views WHERE schemaname = 'public'
UNION ALL
SELECT pg_get_functiondef(oid) FROM pg_proc WHERE pronamespace = 'public'::regnamespace
"""


def catalog(settings: DatabaseSettings) -> list[str]:
    with psycopg.connect(**settings.conninfo) as session:
        return sorted(row[0] or "" for row in session.execute(CATALOG.encode()).fetchall())


def test_an_upgraded_database_is_made_as_a_new_one(
    settings: DatabaseSettings, old: Connection
) -> None:
    """The first step leaves out what later ones drop, so there are two ways to the same tables."""
    migrate(settings)
    upgraded = catalog(settings)
    old.execute("DROP SCHEMA public CASCADE")
    old.execute("CREATE SCHEMA public")
    migrate(settings)
    assert len(upgraded) > 100
    assert catalog(settings) == upgraded


def test_what_checks_said_of_lines_that_others_held_becomes_their_rows(
    settings: DatabaseSettings, old: Connection
) -> None:
    assert ("0001", schema_head()) == migrate(settings)
    lines = old.execute(
        "SELECT * FROM detail_lines WHERE removed_at IS NULL"
        " ORDER BY guest_check_id, guest_check_line_item_id"
    ).fetchall()
    found = [(row["guest_check_id"], row["guest_check_line_item_id"]) for row in lines]
    assert [(1, 8), (1, 9), (2, 9)] == found
    restored = lines[1]
    assert (Decimal("11.50"), 6042) == (restored["dsp_ttl"], restored["menu_item_id"])
    assert "11.50" == str(restored["dsp_ttl"])
    assert {"mood": 1.0} == restored["extra"]
    assert restored["detail_utc"] is not None
    assert [{"count": 1}] == old.execute(
        "SELECT count(*) FROM detail_lines WHERE removed_at IS NOT NULL"
    ).fetchall()


@pytest.mark.usefixtures("old")
def test_upgraded_tables_take_documents_as_new_ones_do(database: dict[str, str]) -> None:
    """Removal, restoration and partial documents work on rows that the older release wrote."""
    with open_warehouse(database) as warehouse:
        line = {"guestCheckLineItemId": 9, "dspTtl": 12}
        newer = full_check(1, 120, chkNum=7, detailLines=[line])
        load(warehouse, checks(newer, store="001", curUTC="2024-01-01T12:30:00"))
        [one, other] = warehouse.rows("guest_checks")
        assert (7, 5) == (one["chk_num"], one["gst_cnt"])
        assert 2 == other["guest_check_id"]
        found = [(row["guest_check_id"], row["dsp_ttl"]) for row in warehouse.rows("detail_lines")]
        assert [(1, 12), (2, 22)] == found
        assert [7, 8] == sorted(
            row["guest_check_line_item_id"] for row in warehouse.removed("detail_lines")
        )
        assert [28] == [row["tax_num"] for row in warehouse.removed("taxes")]


def test_days_and_findings_go_on_where_the_older_release_stood(
    database: dict[str, str], old: Connection
) -> None:
    """Also what an answer with a bad row did not tell: an answer older than it still does."""
    with open_warehouse(database) as warehouse:
        days = old.execute(
            "SELECT source, bus_dt::text, object_id, state FROM store_days ORDER BY 1"
        ).fetchall()
        assert [
            ("erp", "2024-01-01", 1, "loaded"),
            ("getGuestChecks", "2024-01-02", 2, "loaded"),
            ("getTransactions", "2024-01-01", 4, "dead_lettered"),
        ] == [tuple(day.values()) for day in days]
        seen = "SELECT path, occurrences, objects, first_object_key, last_object_key FROM"
        found = old.execute(f"{seen} schema_drift ORDER BY 1".encode()).fetchall()
        assert [
            ("guestChecks.x", 2, 1, "raw/erp/1.json", "raw/erp/1.json"),
            ("transactions.mood", 7, 2, "whole", "torn"),
        ] == [tuple(row.values()) for row in found]

        rows = [{"transactionId": 1, "amount": 31}, {"transactionId": 2, "amount": 32}]
        answer = day_list(Source.TRANSACTIONS, *rows, store="001", curUTC="2024-01-02T01:30:00")
        load(warehouse, answer, Source.TRANSACTIONS, store="001")
        assert [("1", 21), ("2", 32)] == [
            (row["record_id"], row["amount"]) for row in warehouse.rows("transactions")
        ]


def test_what_a_clock_of_2094_froze_takes_newer_documents_again(
    database: dict[str, str], old: Connection
) -> None:
    """What partial documents set is dated by the upgrade: who set it is not known any more."""
    old.execute(FROZEN.encode())
    with open_warehouse(database) as warehouse:
        far = warehouse.query("SELECT * FROM guest_checks WHERE store_id = '002'")
        assert {2094} == {far[0]["last_updated_utc"].year, far[0]["as_of"].year}
        newer = full_check(1, gstCnt=2) | {"lastUpdatedUTC": "2024-06-01T11:00:00"}
        load(warehouse, checks(newer, store="002"), number=DECADES)
        assert [2] == [row["gst_cnt"] for row in warehouse.rows("guest_checks", ["002"])]
        source = Source.TRANSACTIONS
        answer = day_list(source, {"transactionId": "new"}, store="002")
        load(warehouse, answer, source, store="002", number=DECADES, key="raw/day.json")
        assert ["new"] == [row["record_id"] for row in warehouse.rows("transactions", ["002"])]


def test_what_was_frozen_without_a_ledger_row_is_repaired_by_the_runbook(
    database: dict[str, str], old: Connection
) -> None:
    """The upgrade cannot say when its object was written."""
    old.execute(FROZEN.encode())
    old.execute("DELETE FROM check_patches WHERE store_id = '002'")
    old.execute("UPDATE guest_checks SET patched = false WHERE store_id = '002'")
    old.execute("DELETE FROM ingested_objects WHERE store_id = '002'")
    runbook = (Path(__file__).parents[2] / "docs" / "operations.md").read_text(encoding="utf-8")
    [repair] = re.findall(
        r"^```sql\n(UPDATE guest_checks.+?)```$", runbook, re.MULTILINE | re.DOTALL
    )
    newer = checks(full_check(1, gstCnt=2), store="002")
    source, day = Source.TRANSACTIONS, {"store": "002", "key": "raw/day.json"}
    answer = day_list(source, {"transactionId": "new"}, store="002")
    with open_warehouse(database) as warehouse:

        def load_both(number: int) -> tuple[Any, Any]:
            load(warehouse, newer, number=number)
            load(warehouse, answer, source, number=number, **day)
            [check] = warehouse.rows("guest_checks", ["002"])
            [row] = warehouse.rows("transactions", ["002"])
            return check["gst_cnt"], row["record_id"]

        assert (9, "frozen") == load_both(1)
        old.execute(repair.encode())
        assert (2, "new") == load_both(2)


def test_ends_dead_letters_and_counts_of_days_are_what_the_ledger_still_knows(
    settings: DatabaseSettings, old: Connection
) -> None:
    """Whether a dead letter is still on the queue it does not know; nor when objects failed before."""
    log = "logs/errors/getTransactions/2024/01/02/0a1b-c2d3-0123456789abcdef.json"
    old.execute(
        "UPDATE ingested_objects SET error_code = 'records_invalid', error_log_key = %s,"
        " records = 1 WHERE object_key = 'torn'",
        (log,),
    )
    migrate(settings)
    events = old.execute(
        "SELECT e.*, o.committed_at, o.cause AS current FROM object_events AS e"
        " JOIN ingested_objects AS o USING (object_id, state) ORDER BY event_id"
    ).fetchall()
    assert [1, 2, 3, 4] == [event["object_id"] for event in events]
    assert all(event["ended_at"] == event["committed_at"] for event in events)
    cause = cause_of(Permanent(ErrorCode.RECORDS_INVALID, ""), "getTransactions").id
    assert [None, None, None, cause] == [event["current"] for event in events]
    [letter] = old.execute("SELECT * FROM dead_letters JOIN causes USING (cause)").fetchall()
    assert (4, "unconfirmed", None, "0a1b-c2d3", log, "") == tuple(
        letter[name]
        for name in ("object_id", "state", "message_id", "original_id", "error_log_key", "problem")
    )
    days = old.execute("SELECT source, records, quarantined FROM store_days ORDER BY 1").fetchall()
    assert [("erp", None, None), ("getGuestChecks", 0, 0), ("getTransactions", 1, 1)] == [
        tuple(day.values()) for day in days
    ]
