"""`consumer verify` names what was done to the tables, mends it, and is silent otherwise."""

import json
from typing import Any

import pytest

from tests.conftest import Lake
from tests.support.consuming import put
from tests.support.databases import execute
from tests.support.lake_loading import load_new, told_json
from tests.support.programs import query
from tests.support.storied import DAY, NEXT, STORE, answer, check, fill, key
from tests.support.warehouse import open_warehouse


def verify(environment: dict[str, str], *more: str) -> dict[str, Any]:
    code, told = told_json(environment, "verify", "--settled-minutes", "0", *more)
    assert code == (0 if told["equal"] else 1)
    said: dict[str, Any] = told
    return said


@pytest.fixture
def filled(environment: dict[str, str], lake: Lake) -> dict[str, str]:
    fill(lake)
    put(lake, key("getFiscalInvoice", DAY, "1"), json.dumps(STANDING).encode())
    put(lake, "raw/erp/forgotten.json", answer(check(8)))
    put(lake, key("getFiscalInvoice", NEXT, "0"), json.dumps(FORGOTTEN).encode())
    with open_warehouse(environment, sessions=1) as warehouse:
        load_new(warehouse, lake)
    # If the second answer came first, the row was left out; else it is there, marked.
    marked = _inserted("transactions", "true", record_id="2", amount=6, removed_at="2024-03-02")
    execute(environment, f"{marked} ON CONFLICT DO NOTHING")
    return environment


STANDING = {
    "storeId": STORE,
    "busDt": DAY,
    "fiscalInvoices": [{"invoiceId": 6, "amount": 9}],
}
FORGOTTEN = {
    "storeId": STORE,
    "busDt": NEXT,
    "fiscalInvoices": [{"invoiceId": 7, "amount": 9}],
}
INVOICES = {
    "storeId": STORE,
    "busDt": NEXT,
    "fiscalInvoices": [{"invoiceId": 5, "amount": 9}],
}


def _inserted(table: str, like: str, **changes: Any) -> str:
    told = json.dumps(changes)
    return f"""INSERT INTO {table}
        SELECT (jsonb_populate_record(t, '{told}')).* FROM {table} AS t WHERE {like}"""


# What is done to the tables, and how it is named: kind, table, key, changed columns, cause.
DAMAGE: dict[str, tuple[str, tuple[Any, ...]]] = {
    "a row is deleted": (
        "DELETE FROM taxes WHERE guest_check_id = 2",
        ("missing", "taxes", (STORE, 2, 7), "by_hand"),
    ),
    "a value is changed": (
        "UPDATE guest_checks SET gst_cnt = 3 WHERE guest_check_id = 2",
        ("different", "guest_checks", (STORE, 2), "by_hand"),
    ),
    "a row is added": (
        _inserted("detail_lines", "guest_check_id = 3", guest_check_line_item_id=77),
        ("extra", "detail_lines", (STORE, 3, 77), "by_hand"),
    ),
    "a check is of a stale version": (
        f"""UPDATE guest_checks SET sub_ttl = 80.5, object_id = (
            SELECT object_id FROM ingested_objects
            WHERE object_key LIKE '%getGuestChecks%{DAY}%/1.json'
        ) WHERE guest_check_id = 1""",
        ("different", "guest_checks", (STORE, 1), "older_document"),
    ),
    "an item was sold earlier": (
        "UPDATE menu_items SET first_seen = '2020-01-01' WHERE menu_item_id = 31",
        ("different", "menu_items", (STORE, 31), "by_hand"),
    ),
    "a row is under the name of another store": (
        "UPDATE transactions SET store_id = '99 CB' WHERE record_id = '1'",
        ("extra", "transactions", ("99 CB", DAY, "1"), "by_hand"),
    ),
    "a removed row is revived": (
        "UPDATE transactions SET removed_at = NULL WHERE record_id = '2'",
        ("extra", "transactions", (STORE, DAY, "2"), "by_hand"),
    ),
    "extra is changed": (
        "UPDATE guest_checks SET extra = '{}' WHERE guest_check_id = 3",
        ("different", "guest_checks", (STORE, 3), "by_hand"),
    ),
    "a row of the ledger is deleted": (
        "DELETE FROM ingested_objects WHERE object_key = 'raw/erp/closing.json'",
        ("unseen", None, "raw/erp/closing.json"),
    ),
    "the ledger forgot the document of a check that is as it should be": (
        "DELETE FROM ingested_objects WHERE object_key = 'raw/erp/forgotten.json'",
        ("unseen", None, "raw/erp/forgotten.json"),
    ),
    "the ledger forgot an answer that lost to a later one": (
        f"DELETE FROM ingested_objects WHERE object_key LIKE '%getFiscalInvoice%{NEXT}%/0.json'",
        ("unseen", None, key("getFiscalInvoice", NEXT, "0")),
    ),
}


# Rows of which every column is changed; what tells how a row was read is none of the documents'.
EVERY_COLUMN = {
    "guest_checks": "guest_check_id = 4",
    "taxes": "guest_check_id = 4",
    "detail_lines": "guest_check_id = 4",
    "fiscal_invoices": "record_id = '6'",
}
KEYS = {
    "guest_checks": {"store_id", "guest_check_id"},
    "taxes": {"store_id", "guest_check_id", "tax_num"},
    "detail_lines": {"store_id", "guest_check_id", "guest_check_line_item_id"},
    "fiscal_invoices": {"store_id", "bus_dt", "record_id"},
}
OF_THE_READING = {
    *("object_id", "removed_at", "as_of", "patched", "latest_credible"),
    *("content_digest", "digest_object_id"),
}
OTHERWISE = {
    "text": "coalesce({0}, '') || 'x'",
    "bigint": "coalesce({0}, 0) + 1",
    "numeric": "coalesce({0}, 0) + 1",
    "boolean": "coalesce(NOT {0}, true)",
    "date": "coalesce({0}, '2024-03-01') + 1",
    "timestamp with time zone": "coalesce({0}, '2024-03-01') + interval '1 hour'",
    "timestamp without time zone": "coalesce({0}, '2024-03-01') + interval '1 hour'",
    "jsonb": """'{{"x": 1}}'""",
}


def change_all(environment: dict[str, str], table: str, which: str) -> set[str]:
    """Change every column of some rows; return their names."""
    columns = query(
        environment,
        f"SELECT column_name, data_type FROM information_schema.columns "
        f"WHERE table_name = '{table}' AND table_schema = 'public'",
    )
    values = {
        name: OTHERWISE[kind].format(name)
        for name, kind in columns
        if name not in KEYS[table] | OF_THE_READING
    }
    if "menu_item_id" in values:
        values["menu_item_id"] = "NULL"  # an item must exist
    told = ", ".join(f"{name} = {value}" for name, value in values.items())
    execute(environment, f"UPDATE {table} SET {told} WHERE {which}")
    return set(values)


def test_each_damage_is_named_and_mended(filled: dict[str, str], lake: Lake) -> None:
    """Rows, versions, provenance, the ledger and two objects of which no event told.

    A correction, a check over midnight, a partial export and a removed row are no damage.
    """
    untouched = verify(filled)
    assert (True, []) == (untouched["equal"], untouched["differences"])
    execute(filled, *(statement for statement, _ in DAMAGE.values()))
    all_columns = {table: change_all(filled, table, which) for table, which in EVERY_COLUMN.items()}
    lost, unannounced = key("getGuestChecks", NEXT, "2"), key("getFiscalInvoice", NEXT, "1")
    put(lake, lost, answer(check(10, opnBusDt=NEXT, clsdBusDt=NEXT), at="2024-03-03T05:00:00"))
    put(lake, unannounced, json.dumps(INVOICES).encode())
    told = verify(filled)
    assert not told["equal"]
    assert 0 == told["mended"]
    named = [_named(one) for one in told["differences"]]
    expected = {
        **{what: name for what, (_, name) in DAMAGE.items()},
        "lost event": ("unseen", None, lost),
        "its row": ("missing", "guest_checks", (STORE, 10), "never_announced"),
        "never announced": ("unseen", None, unannounced),
        "its invoice": ("missing", "fiscal_invoices", (STORE, NEXT, "5"), "never_announced"),
        "under its own store": ("missing", "transactions", (STORE, DAY, "1"), "by_hand"),
    }
    for what, name in expected.items():
        assert name in named, what
    [changed] = [
        one for one in told["differences"] if _named(one) == DAMAGE["a value is changed"][1]
    ]
    assert [{"column": "gst_cnt", "table": "3", "lake": "2"}] == changed["changes"]
    assert key("getGuestChecks", DAY, "2") == changed["object_key"]

    changed_columns = {
        one["table"]: {change["column"] for change in one["changes"]}
        for one in told["differences"]
        if one["kind"] == "different" and (4 in one["key"].values() or "6" in one["key"].values())
    }
    assert all_columns == changed_columns

    before = query(filled, "SELECT count(*) FROM ingested_objects")
    repaired = verify(filled, "--repair")
    assert repaired["equal"], repaired
    assert len(told["differences"]) == len(repaired["differences"]) == repaired["mended"]
    assert [(before[0][0] + 5,)] == query(filled, "SELECT count(*) FROM ingested_objects")
    assert verify(filled)["equal"]
    assert [0, 0] == [_without_entry(filled, one) for one in ("guest_checks", "fiscal_invoices")]


def _without_entry(environment: dict[str, str], table: str) -> int:
    """Count rows of which nobody could say any more from which document they are."""
    [(count,)] = query(
        environment,
        f"""SELECT count(*) FROM {table} AS t WHERE NOT EXISTS (
            SELECT FROM ingested_objects AS o WHERE o.object_id = t.object_id)""",
    )
    return int(count)


def _named(one: dict[str, Any]) -> tuple[Any, ...]:
    if one["table"] is None:
        return one["kind"], None, one["object_key"]
    return one["kind"], one["table"], tuple(one["key"].values()), one["cause"]
