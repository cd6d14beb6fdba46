"""A clock at the source that runs ahead outranks nobody for longer than ten minutes."""

from datetime import UTC, datetime
from typing import Any

import pytest

from consumer.load.document import StagedDocument
from schemas.registry import Source
from tests.support.loading import column, load, load_day, load_in_every_order
from tests.support.samples import checks, day_list, full_check, staged
from tests.support.warehouse import Warehouse

FAR = "2094-01-01T00:00:00"
LATER = 20 * 60  # seconds after the document of 2094 was written, in which others follow
SOON = 9 * 60

# What comes first by its clock, and by its object; the other one is written twenty minutes later.
BROKEN_CLOCKS: dict[str, list[dict[str, Any]]] = {
    "version": [
        full_check(1, gstCnt=1) | {"lastUpdatedUTC": FAR},
        full_check(1, gstCnt=2) | {"lastUpdatedUTC": "2024-06-01T12:19:00"},
    ],
    "as_of": [full_check(1, gstCnt=1), full_check(1, gstCnt=2)],
    "partial": [{"guestCheckId": 1, "gstCnt": 1}, {"guestCheckId": 1, "gstCnt": 2}],
}


@pytest.mark.parametrize("kind", BROKEN_CLOCKS)
def test_a_check_of_2094_gives_way_to_what_is_written_later(
    warehouse: Warehouse, kind: str
) -> None:
    records = BROKEN_CLOCKS[kind]

    def write(number: int, store: str) -> StagedDocument:
        root = {} if kind == "version" else {"curUTC": [FAR, "2024-06-01T12:19:59"][number]}
        document = checks(records[number], store=store, **root)
        key = f"raw/erp/{store}-{number}.json"
        return staged(document, number=number * LATER, key=key)

    for store in load_in_every_order(warehouse, 2, write):
        assert [2] == [row["gst_cnt"] for row in warehouse.rows("guest_checks", [store])], store


def test_what_partial_documents_told_before_2094_stays(warehouse: Warehouse) -> None:
    """A check that only partial documents know has no version, however late one of them says it is."""

    def write(number: int, store: str) -> StagedDocument:
        record = [{"taxes": [{"taxNum": 1}]}, {"gstCnt": 2}][number] | {"guestCheckId": 1}
        root = {"curUTC": ["2024-06-01T12:00:00", FAR][number]}
        key = f"raw/erp/{store}-{number}.json"
        return staged(checks(record, store=store, **root), number=number, key=key)

    for store in load_in_every_order(warehouse, 2, write):
        assert [1] == [row["tax_num"] for row in warehouse.rows("taxes", [store])], store


def test_a_day_of_2094_gives_way_to_what_is_written_later(warehouse: Warehouse) -> None:
    source = Source.TRANSACTIONS

    def write(number: int, store: str) -> StagedDocument:
        root = {"curUTC": [FAR, "2024-06-01T12:19:59"][number]}
        answer = day_list(source, {"transactionId": number}, store=store, **root)
        return staged(
            answer, source, store=store, number=number * LATER, key=f"raw/{store}-{number}.json"
        )

    for store in load_in_every_order(warehouse, 2, write):
        assert ["1"] == [row["record_id"] for row in warehouse.rows("transactions", [store])], store


def test_columns_keep_what_was_sent(warehouse: Warehouse) -> None:
    check = full_check(1) | {"lastUpdatedUTC": FAR}
    load(warehouse, checks(check, curUTC=FAR))
    load_day(warehouse, {"transactionId": 1}, curUTC=FAR, key="raw/day.json")
    far = datetime(2094, 1, 1, tzinfo=UTC)
    assert [far] == column(warehouse, "guest_checks", "last_updated_utc")
    stored = [
        row["as_of"]
        for table in ("guest_checks", "transactions")
        for row in warehouse.query(f"SELECT as_of FROM {table}")
    ]
    assert [far, far] == stored


def test_a_version_of_2094_loaded_again_rewrites_nothing(warehouse: Warehouse) -> None:
    document = checks(full_check(1) | {"lastUpdatedUTC": FAR}, curUTC=FAR)
    load(warehouse, document)
    before = warehouse.query("SELECT xmin::text, ctid::text FROM guest_checks")
    load(warehouse, document)
    assert before == warehouse.query("SELECT xmin::text, ctid::text FROM guest_checks")


def test_a_clock_that_runs_ahead_by_minutes_is_believed(warehouse: Warehouse) -> None:
    ahead = checks(full_check(1, gstCnt=1), curUTC="2024-06-01T12:09:59")
    load(warehouse, ahead, key="raw/erp/ahead.json")
    load(warehouse, checks(full_check(1, gstCnt=2)), number=SOON, key="raw/erp/later.json")
    assert [1] == column(warehouse, "guest_checks", "gst_cnt")
    assert [] == future_drift(warehouse)


@pytest.mark.parametrize("plain", [True, False], ids=["as it is written", "converted"])
def test_versions_of_2094_are_told_as_drift(warehouse: Warehouse, *, plain: bool) -> None:
    far = FAR if plain else f"{FAR}.5"
    records = [full_check(number) | {"lastUpdatedUTC": far} for number in (1, 2)]
    load(warehouse, checks(*records, full_check(3), curUTC=FAR))
    assert [("curUTC", 1), ("guestChecks.lastUpdatedUTC", 2)] == future_drift(warehouse)


def future_drift(warehouse: Warehouse) -> list[tuple[str, int]]:
    rows = warehouse.query(
        "SELECT path, occurrences FROM schema_drift WHERE kind = 'future_version' ORDER BY path"
    )
    return [(row["path"], row["occurrences"]) for row in rows]
