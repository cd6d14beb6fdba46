"""The Iceberg tables hold what PostgreSQL holds, whoever writes, exports or stops meanwhile."""

from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pyarrow.parquet as pq
import pytest

from consumer.rows.tables import DATA_TABLES
from lakehouse import batch, feed
from lakehouse.copying import copied_pieces
from lakehouse.errors import ExportUnderWay, Misfit, Stopped
from lakehouse.feed import Selection
from lakehouse.locks import exporting
from lakehouse.tables import TABLES
from lakehouse.verify import verify
from lakehouse.watch import Watch
from schemas.registry import Source
from tests.support.lakehouses import Lakehouse, execute, folder_lakehouse
from tests.support.samples import checks, day_list, staged, usual_check
from tests.support.warehouse import Warehouse

PUT_CHECK = "INSERT INTO guest_checks (store_id, guest_check_id, opn_bus_dt, as_of, object_id, {}) VALUES ('s', 1, '2024-01-01', now(), 1, {})"


@pytest.fixture
def lakehouse(warehouse: Warehouse, tmp_path: Path) -> Iterator[Lakehouse]:
    with folder_lakehouse(warehouse.settings, tmp_path) as opened:
        execute(opened, "DELETE FROM lakehouse_changes")  # the test before may have left some
        yield opened


@pytest.fixture
def rival(warehouse: Warehouse, lakehouse: Lakehouse, tmp_path: Path) -> Iterator[Lakehouse]:
    """Give a second exporter of the same lakehouse."""
    with folder_lakehouse(warehouse.settings, tmp_path) as opened:
        yield opened


def load(warehouse: Warehouse, *numbers: int, day: str | None = "2024-01-01", version: int = 0):
    records = [usual_check(number, opnBusDt=day) for number in numbers]
    for record in records:
        record["lastUpdatedUTC"] = f"2024-01-01T12:{version:02}:00"
        record["subTtl"] = 10 + version
    warehouse.load(staged(checks(*records), key=f"raw/erp/{day}.json", number=version))


def exported(lakehouse: Lakehouse, table: str, column: str) -> list[Any]:
    loaded = lakehouse.place.tables.load(table)
    assert loaded is not None
    return sorted(loaded.scan().to_arrow().column(column).to_pylist(), key=repr)


def check_verified(lakehouse: Lakehouse) -> None:
    verdict = verify(lakehouse.place, lambda: exporting(lakehouse.locks), Selection())
    assert verdict.holds, verdict
    lakehouse.connection.rollback()


def test_every_data_table_is_exported_and_watched() -> None:
    """A new endpoint's table needs a line in lakehouse/tables.py and one in lakehouse/feed.py."""
    tables = {table.name for table in DATA_TABLES} | {"menu_items"}
    assert tables | {"daily_revenue"} == set(TABLES)
    assert tables == set(feed.WATCHED)


def test_all_kinds_of_values_arrive_as_they_are(warehouse: Warehouse, lakehouse: Lakehouse) -> None:
    """NULL and empty days, '' and NULL, newlines, quotes, ten decimals, year 0001."""
    load(warehouse, 1)
    load(warehouse, 2, day=None)
    odd = 'a\nb\r\n"c",d\'\\N\t'
    columns = "tbl_name, tbl_num, chk_ref, sub_ttl, clsd_lcl, clsd_utc, clsd_bus_dt, extra"
    values = (
        "%s, NULL, '', -9999999999999999999999999999 + 0.0123456789, '0001-01-01 00:00:00.000001',"
        " '0001-01-01', '0001-01-01', jsonb_build_object('k', %s::text)"
    )
    with lakehouse.connection.transaction():
        lakehouse.connection.execute(PUT_CHECK.format(columns, values).encode(), [odd, odd])
    warehouse.load(staged(day_list(Source.TRANSACTIONS, {"amount": 1}), Source.TRANSACTIONS))
    lakehouse.export()
    lakehouse.assert_equal()
    check_verified(lakehouse)
    assert [odd] == [name for name in exported(lakehouse, "guest_checks", "tbl_name") if name]
    assert Decimal("-9999999999999999999999999998.9876543211") in exported(
        lakehouse, "guest_checks", "sub_ttl"
    )
    execute(lakehouse, "DELETE FROM guest_checks WHERE store_id = 's'")
    execute(lakehouse, "DELETE FROM transactions")
    lakehouse.export()
    lakehouse.assert_equal()
    assert [] == exported(lakehouse, "transactions", "store_id")


def test_a_value_that_does_not_fit_stops_the_export_and_is_named(lakehouse: Lakehouse) -> None:
    for column, value in (
        ("sub_ttl", "0.01234567891"),
        ("sub_ttl", "'NaN'"),
        ("sub_ttl", "1e28"),
        ("clsd_bus_dt", "'infinity'"),
        ("clsd_utc", "'-infinity'"),
        ("clsd_lcl", "'10000-01-01'"),
        ("clsd_bus_dt", "'0044-03-15 BC'"),
    ):
        execute(lakehouse, "DELETE FROM guest_checks")
        execute(lakehouse, PUT_CHECK.format(column, value))
        named = rf"guest_checks\.{column} does not fit .*store_id s, guest_check_id 1"
        with pytest.raises(Misfit, match=named):
            lakehouse.export()
        lakehouse.connection.rollback()
    assert [] == exported(lakehouse, "guest_checks", "store_id")
    execute(lakehouse, "UPDATE guest_checks SET clsd_bus_dt = NULL")
    lakehouse.export()
    lakehouse.assert_equal()


def test_a_business_day_that_is_none_stops_the_export(lakehouse: Lakehouse) -> None:
    execute(lakehouse, PUT_CHECK.replace("'2024-01-01'", "'infinity'").format("tbl_num", "1"))
    with pytest.raises(Misfit, match="checks: the business day infinity"):
        lakehouse.export()
    lakehouse.connection.rollback()


def test_only_changed_days_are_rewritten_and_nothing_when_nothing_changed(
    warehouse: Warehouse, lakehouse: Lakehouse, tmp_path: Path
) -> None:
    load(warehouse, 3, 1)
    load(warehouse, 2, day="2024-01-02")
    lakehouse.export()
    [first_day] = tmp_path.glob("processed/guest_checks/data/business_day=2024-01-01/*.parquet")
    file = pq.ParquetFile(first_day)
    ids = file.read().column("guest_check_id").to_pylist()
    assert (2, sorted(ids)) == (len(ids), ids)
    assert "ZSTD" == file.metadata.row_group(0).column(0).compression
    before = {stored.key for stored in lakehouse.place.lake.objects()}
    assert lakehouse.export().batches == 0
    assert before == {stored.key for stored in lakehouse.place.lake.objects()}
    load(warehouse, 2, day="2024-01-02", version=3)
    totals = lakehouse.export()
    fresh = {stored.key for stored in lakehouse.place.lake.objects()} - before
    data = [key for key in fresh if key.endswith(".parquet")]
    assert (1, 4) == (totals.days, totals.files)
    assert all("business_day=2024-01-02" in key for key in data)
    lakehouse.assert_equal()


def test_a_check_that_moves_to_another_day_leaves_the_old_one(
    warehouse: Warehouse, lakehouse: Lakehouse
) -> None:
    load(warehouse, 1)
    lakehouse.export()
    load(warehouse, 1, day="2024-02-02", version=1)
    lakehouse.export()
    lakehouse.assert_equal()
    assert [date(2024, 2, 2)] == exported(lakehouse, "detail_lines", "business_day")


def test_a_load_that_is_open_across_an_export_is_in_the_next_one(
    warehouse: Warehouse, lakehouse: Lakehouse
) -> None:
    """Its entries of the feed are older than those exported, and only it may not have been seen."""
    with psycopg.connect(**warehouse.settings.conninfo) as loader:
        loader.execute(PUT_CHECK.format("tbl_num", "1").encode())
        load(warehouse, 2)
        assert lakehouse.export().complete
        lakehouse.assert_equal()
    lakehouse.export()
    lakehouse.assert_equal()
    assert ["99 CB CB", "s"] == exported(lakehouse, "guest_checks", "store_id")


def test_tables_that_are_emptied_at_once_are_noted(
    warehouse: Warehouse, lakehouse: Lakehouse
) -> None:
    load(warehouse, 1)
    lakehouse.export()
    execute(lakehouse, "TRUNCATE guest_checks, taxes, detail_lines, menu_items")
    lakehouse.export()
    lakehouse.assert_equal()


def test_a_whole_export_forgets_days_that_nobody_noted(
    warehouse: Warehouse, lakehouse: Lakehouse
) -> None:
    """After a restore of the database, the Iceberg tables have days that it has not."""
    load(warehouse, 1)
    lakehouse.export()
    execute(
        lakehouse,
        "SET LOCAL session_replication_role = replica; DELETE FROM detail_lines; DELETE FROM taxes; DELETE FROM guest_checks",
    )
    assert lakehouse.export().batches == 0
    verdict = verify(lakehouse.place, lambda: exporting(lakehouse.locks), Selection())
    found = {(one.table, one.what) for one in verdict.differences}
    assert {("guest_checks", "rows"), ("daily_revenue", "checks"), ("taxes", "tax_num")} <= found
    lakehouse.export_again()
    lakehouse.assert_equal()


def test_many_days_are_exported_batch_by_batch(warehouse: Warehouse, tmp_path: Path) -> None:
    with folder_lakehouse(warehouse.settings, tmp_path, lakehouse_batch_days=1) as opened:
        execute(opened, "DELETE FROM lakehouse_changes")
        for number in range(1, 4):
            load(warehouse, number, day=f"2024-01-0{number}")
        part = opened.export(Selection(date(2024, 1, 3), date(2024, 1, 9)))
        assert (1, 1, False) == (part.batches, part.days - 1, part.complete)  # and the items
        totals = opened.export()
        assert (2, True) == (totals.batches, totals.complete)
        opened.assert_equal()


@pytest.fixture
def held_up(
    rival: Lakehouse, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str, Callable[[], None]], None]:
    """Let something happen while an exporter is held up before a step, its lock lost."""

    def arrange(step: str, meanwhile: Callable[[], None]) -> None:
        original = getattr(batch, step)

        def late(*arguments: Any) -> Any:
            monkeypatch.setattr(batch, step, original)
            meanwhile()
            return original(*arguments)

        monkeypatch.setattr(batch, step, late)

    return arrange


@pytest.mark.parametrize(
    "held_ups",
    [
        [("commit", "2024-01-01"), ("commit", "2024-01-01"), ("commit", "2024-01-02")],
        [("publish", "2024-01-01")],
    ],
    ids=["commit", "publish"],
)
def test_an_exporter_that_was_held_up_undoes_and_doubles_nothing(
    warehouse: Warehouse,
    lakehouse: Lakehouse,
    rival: Lakehouse,
    held_up: Any,
    held_ups: list[tuple[str, str]],
) -> None:
    """On a day's first export, a later one, and a new day: another exports newer rows meanwhile."""
    for number, (step, day) in enumerate(held_ups):
        version = 2 * number + 1
        load(warehouse, 1, day=day, version=version)

        def meanwhile(version: int = version, day: str = day) -> None:
            load(warehouse, 1, 2, day=day, version=version + 1)
            with rival.unlocked():
                rival.export()

        held_up(step, meanwhile)
        lakehouse.export()
        lakehouse.assert_equal()
    latest, _ = lakehouse.place.lake.read_latest()
    assert latest is not None
    assert latest.complete


def test_a_query_that_fails_or_is_left_early_leaves_the_session_usable(
    lakehouse: Lakehouse,
) -> None:
    """Rows that came before the failure are no day: PostgreSQL's error ends the copying."""
    failing = "COPY (SELECT 1 / (90000 - n) FROM generate_series(1, 99999) AS n) TO STDOUT"
    with pytest.raises(psycopg.errors.DivisionByZero):
        copied(lakehouse, failing)
    lakehouse.connection.rollback()
    assert b"1\n2\n3\n" == copied(lakehouse, "COPY (SELECT generate_series(1, 3)) TO STDOUT")
    with pytest.raises(KeyboardInterrupt):
        leave_early(lakehouse)
    lakehouse.connection.rollback()
    assert b"" == copied(lakehouse, "COPY (SELECT 1 WHERE false) TO STDOUT")


def leave_early(lakehouse: Lakehouse) -> None:
    many = "COPY (SELECT generate_series(1, 999999)) TO STDOUT"
    with lakehouse.connection.cursor() as cursor, cursor.copy(many) as copy:
        assert b"1\n" == next(copied_pieces(copy, 1))
        raise KeyboardInterrupt


def copied(lakehouse: Lakehouse, statement: str) -> bytes:
    with lakehouse.connection.cursor() as cursor, cursor.copy(statement.encode()) as copy:
        return b"".join(copied_pieces(copy, 1000))


def test_two_exporters_do_not_work_at_once(lakehouse: Lakehouse, rival: Lakehouse) -> None:
    execute(lakehouse, PUT_CHECK.format("tbl_num", "1"))
    with exporting(rival.locks), pytest.raises(ExportUnderWay):
        lakehouse.export()


def test_an_export_that_is_stopped_leaves_its_days_queued(lakehouse: Lakehouse) -> None:
    execute(lakehouse, PUT_CHECK.format("tbl_num", "1"))
    with pytest.raises(Stopped):
        lakehouse.export(watch=Watch(is_stopped=lambda: True))
    lakehouse.connection.rollback()
    lakehouse.export()
    lakehouse.assert_equal()
