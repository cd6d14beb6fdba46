"""`consumer verify` names what was done to the tables, mends it, and is silent otherwise."""

import json
from typing import Any

import psycopg
import pytest

from tests.conftest import Lake
from tests.support.consuming import consume, put
from tests.support.databases import conninfo
from tests.support.programs import query, run

STORE, DAY, NEXT = "99 CB CB", "2024-03-01", "2024-03-02"


def check(number: int, minute: int = 0, **fields: Any) -> dict[str, Any]:
    """Write a check of that day, updated so many minutes after eight."""
    return {
        "guestCheckId": number,
        "opnBusDt": DAY,
        "clsdBusDt": DAY,
        "lastUpdatedUTC": f"2024-03-01T20:{minute:02}:00",
        "subTtl": 80.5,
        "gstCnt": 2,
        "loyalty": {"card": 7},
        "taxes": [{"taxNum": 7, "taxCollTtl": 5.25}],
        "detailLines": [
            {"guestCheckLineItemId": 1, "busDt": DAY, "dspTtl": 80.5, "menuItem": {"miNum": 31}}
        ],
    } | fields


def key(source: str, day: str, name: str, store: str = STORE) -> str:
    folder = store.replace(" ", "%20")
    return f"raw/api_responses/{source}/busDt={day}/storeId={folder}/{name}.json"


def answer(*checks: dict[str, Any], at: str = "2024-03-02T03:00:00") -> bytes:
    return json.dumps({"curUTC": at, "locRef": STORE, "guestChecks": checks}).encode()


def transactions(*rows: dict[str, Any], at: str = "2024-03-02T03:00:00") -> bytes:
    told = {"curUTC": at, "storeId": STORE, "busDt": DAY, "transactions": rows}
    return json.dumps(told).encode()


def fill(lake: Lake) -> None:
    """Put a small story: a correction, a check over midnight, an export, a removed row."""
    gone_line = {"guestCheckLineItemId": 2, "dspTtl": 1, "menuItem": {"miNum": 32}}
    first = check(1, detailLines=[*check(1)["detailLines"], gone_line])
    over = check(3, clsdBusDt=None)
    closed = check(3, 30, clsdBusDt=NEXT, subTtl=99)
    put(lake, key("getGuestChecks", DAY, "1"), answer(first, check(2), over))
    put(lake, key("getGuestChecks", DAY, "2"), answer(check(1, 5, subTtl=75), check(2), over))
    put(lake, key("getGuestChecks", NEXT, "1"), answer(closed, at="2024-03-03T03:00:00"))
    exported = json.loads(answer(check(4)))
    exported["guestChecks"].append({"guestCheckId": 2, "tblName": "Varanda"})
    put(lake, "raw/erp/closing.json", json.dumps(exported).encode())
    rows = [{"transactionId": 1, "amount": 5}, {"transactionId": 2, "amount": 6}]
    put(lake, key("getTransactions", DAY, "1"), transactions(*rows))
    put(lake, key("getTransactions", DAY, "2"), transactions(rows[0], at="2024-03-02T04:00:00"))


def verify(environment: dict[str, str], *more: str) -> dict[str, Any]:
    result = run(
        "consumer", "verify", "--json", "--settled-minutes", "0", *more, environment=environment
    )
    assert result.stdout, result.stderr
    assert "Traceback" not in result.stderr, result.stderr
    told: dict[str, Any] = json.loads(result.stdout)
    assert result.returncode == (0 if told["equal"] else 1), result.stderr
    return told


def execute(environment: dict[str, str], *statements: str) -> None:
    with psycopg.connect(**conninfo(environment), autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())


@pytest.fixture
def filled(environment: dict[str, str], lake: Lake) -> dict[str, str]:
    fill(lake)
    consume(environment)
    # As if the second answer had come later than the first: then the row is marked, not left out.
    execute(
        environment,
        _inserted("transactions", "true", record_id="2", amount=6, removed_at="2024-03-02"),
    )
    return environment


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
}


def test_each_damage_is_named_and_mended(filled: dict[str, str], lake: Lake) -> None:
    """Rows, versions, provenance, the ledger and two objects of which no event told.

    A correction, a check over midnight, a partial export and a removed row are no damage.
    """
    untouched = verify(filled)
    assert (True, []) == (untouched["equal"], untouched["differences"])
    execute(filled, *(statement for statement, _ in DAMAGE.values()))
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

    before = query(filled, "SELECT count(*) FROM ingested_objects")
    repaired = verify(filled, "--repair")
    assert repaired["equal"], repaired
    assert len(told["differences"]) == len(repaired["differences"]) == repaired["mended"]
    assert [(before[0][0] + 3,)] == query(filled, "SELECT count(*) FROM ingested_objects")
    assert verify(filled)["equal"]


def _named(one: dict[str, Any]) -> tuple[Any, ...]:
    if one["table"] is None:
        return one["kind"], None, one["object_key"]
    return one["kind"], one["table"], tuple(one["key"].values()), one["cause"]
