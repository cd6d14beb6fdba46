"""Iceberg tables follow PostgreSQL's columns; what was exported before stays readable."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lakehouse.errors import LakehouseError
from lakehouse.tables import RENAMED
from tests.support.databases import own_database
from tests.support.lakehouses import Lakehouse, execute, folder_lakehouse
from tests.support.warehouse import Warehouse, open_warehouse

PUT = "INSERT INTO guest_checks (store_id, guest_check_id, opn_bus_dt, as_of, object_id, {0}) VALUES ('s', {1}, '2024-01-0{1}', now(), 1, '{2}')"


@pytest.fixture
def warehouse(stack: Any) -> Iterator[Warehouse]:
    """Give a database of the test's own: its tables change."""
    with (
        own_database(stack.environment) as database,
        open_warehouse(database, sessions=1) as opened,
    ):
        yield opened


@pytest.fixture
def lakehouse(warehouse: Warehouse, tmp_path: Path) -> Iterator[Lakehouse]:
    with folder_lakehouse(warehouse.settings, tmp_path) as opened:
        opened.export()
        yield opened


def values(lakehouse: Lakehouse, column: str) -> list[Any]:
    table = lakehouse.place.tables.load("guest_checks")
    assert table is not None
    rows = table.scan().to_arrow().sort_by("guest_check_id")
    return rows.column(column).to_pylist() if column in rows.column_names else ["no column"]


def test_columns_are_added_renamed_and_dropped(
    lakehouse: Lakehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The files of days that did not change are not written again."""
    execute(lakehouse, PUT.format("tbl_name", 1, "before"))
    lakehouse.export()
    execute(lakehouse, "ALTER TABLE guest_checks ADD COLUMN note text")
    execute(lakehouse, PUT.format("note", 2, "added"))
    lakehouse.export()
    lakehouse.assert_equal()
    assert [None, "added"] == values(lakehouse, "note")

    monkeypatch.setitem(RENAMED, ("guest_checks", "note"), "remark")
    execute(lakehouse, "ALTER TABLE guest_checks RENAME note TO remark")
    execute(lakehouse, PUT.format("remark", 3, "renamed"))
    lakehouse.export()
    lakehouse.assert_equal()
    assert [None, "added", "renamed"] == values(lakehouse, "remark")
    assert ["no column"] == values(lakehouse, "note")

    execute(lakehouse, "ALTER TABLE guest_checks DROP COLUMN remark")
    execute(lakehouse, PUT.format("tbl_name", 4, "dropped"))
    lakehouse.export()
    lakehouse.assert_equal()
    assert [None, "added", "renamed", None] == values(lakehouse, "remark")

    execute(lakehouse, "ALTER TABLE guest_checks ADD COLUMN remark bigint")
    execute(lakehouse, PUT.format("remark", 5, "5"))
    with pytest.raises(LakehouseError, match=r"guest_checks\.remark was exported as string and is"):
        lakehouse.export()


def test_personal_columns_are_exported_only_when_they_are_named(
    warehouse: Warehouse, lakehouse: Lakehouse, tmp_path: Path
) -> None:
    execute(lakehouse, PUT.format("chk_name", 1, "Maria"))
    lakehouse.export()
    assert ["no column"] == values(lakehouse, "chk_name")
    with folder_lakehouse(
        warehouse.settings, tmp_path, lakehouse_personal_columns=("chk_name",)
    ) as named:
        assert [None] == values(named, "chk_name")
        named.export_again()
        named.assert_equal()
        assert ["Maria"] == values(named, "chk_name")
