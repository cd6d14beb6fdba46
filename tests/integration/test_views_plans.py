"""What the analysts' views read to show one day of one store."""

from typing import Any

import psycopg
import pytest

from tests.support.warehouse import Warehouse

DAYS, CHECKS, LINES, TAXES = 60, 10, 4, 2

FILL = f"""
INSERT INTO guest_checks (store_id, guest_check_id, opn_bus_dt, sub_ttl, as_of, object_id)
SELECT '001', day * 1000 + number, date '2024-01-01' + day, 1, now(), 1
FROM generate_series(1, {DAYS}) AS day, generate_series(1, {CHECKS}) AS number;
INSERT INTO taxes (store_id, guest_check_id, tax_num)
SELECT store_id, guest_check_id, number
FROM guest_checks, generate_series(1, {TAXES}) AS number;
INSERT INTO detail_lines (store_id, guest_check_id, guest_check_line_item_id, line_type)
SELECT store_id, guest_check_id, number, (array['menu_item', 'discount', 'tender_media'])[number]
FROM guest_checks, generate_series(1, {LINES}) AS number;
INSERT INTO fiscal_invoices (store_id, bus_dt, record_id, guest_check_id, as_of, object_id)
SELECT store_id, opn_bus_dt, guest_check_id::text, guest_check_id, now(), 1 FROM guest_checks;
INSERT INTO store_days (source, store_id, bus_dt, object_id, as_of, event_order, state)
SELECT 'getFiscalInvoice', '001', date '2024-01-01' + day, 1, now(), '', 'loaded'
FROM generate_series(1, {DAYS}) AS day;
ANALYZE;
"""


def rows_read(plan: dict[str, Any], table: str) -> float:
    """Return how many rows of a table the nodes of a plan read together."""
    own = plan.get("Relation Name") == table
    read = plan["Actual Rows"] + plan.get("Rows Removed by Filter", 0)
    return (read * plan["Actual Loops"] if own else 0) + sum(
        rows_read(child, table) for child in plan.get("Plans", ())
    )


@pytest.mark.parametrize(
    ("view", "day", "expected"),
    [
        ("v_daily_revenue", "bus_dt", {"guest_checks": CHECKS, "taxes": CHECKS * TAXES}),
        (
            "v_check_reconciliation",
            "opn_bus_dt",
            {"guest_checks": CHECKS, "detail_lines": CHECKS * LINES},
        ),
        ("v_checks", "bus_dt", {"guest_checks": CHECKS, "taxes": CHECKS * TAXES}),
        ("v_item_sales", "bus_dt", {"guest_checks": CHECKS, "detail_lines": CHECKS * LINES}),
        ("v_payments", "bus_dt", {"guest_checks": CHECKS, "detail_lines": CHECKS * LINES}),
        ("v_discounts", "bus_dt", {"guest_checks": CHECKS, "detail_lines": CHECKS * LINES}),
        ("v_invoices", "bus_dt", {"guest_checks": CHECKS, "fiscal_invoices": CHECKS}),
        (
            "v_invoices_against_checks",
            "bus_dt",
            {"guest_checks": 2 * CHECKS, "fiscal_invoices": CHECKS},
        ),
        # Of the week before and the week after, which tell whether the store was there at all.
        ("v_store_days", "bus_dt", {"guest_checks": 1, "ingested_objects": 0}),
    ],
)
def test_one_day_of_a_store_is_read_without_its_history(
    warehouse: Warehouse, view: str, day: str, expected: dict[str, int]
) -> None:
    query = f"SELECT * FROM {view} WHERE store_id = '001' AND {day} = '2024-01-31'"
    with psycopg.connect(**warehouse.settings.conninfo) as connection:
        connection.execute(FILL.encode())
        explained = f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {query}"
        [[[found]]] = connection.execute(explained.encode()).fetchall()
        connection.rollback()
    assert expected == {table: rows_read(found["Plan"], table) for table in expected}
