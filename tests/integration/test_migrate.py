"""The tables: created once, however many ask, and what the code believes them to be."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import psycopg
import pytest

from consumer.errors import DatabaseUnavailable, SchemaMismatch
from consumer.load.migrations.migrate import migrate
from consumer.load.migrations.steps import schema_head
from consumer.rows.tables import DATA_TABLES
from consumer.settings import DatabaseSettings
from tests.support.facts import HEADER, LISTS
from tests.support.facts import column as column_of
from tests.support.samples import checks, full_check, staged
from tests.support.warehouse import database_settings, open_warehouse

# Of these no source says which type they have.
SCALARS = {
    name
    for fields in (HEADER, *(facts.fields for facts in LISTS.values()))
    for name, kind in fields.items()
    if kind == "scalar"
}


@pytest.fixture
def settings(database: dict[str, str]) -> DatabaseSettings:
    return database_settings(database)


@pytest.fixture
def connection(settings: DatabaseSettings) -> Iterator[psycopg.Connection[Any]]:
    migrate(settings)
    with psycopg.connect(**settings.conninfo, autocommit=True) as opened:
        yield opened


def columns_of(connection: psycopg.Connection[Any], table: str) -> dict[str, str]:
    rows = connection.execute(
        "SELECT column_name, data_type FROM information_schema.columns"
        " WHERE table_schema = 'public' AND table_name = %s ORDER BY ordinal_position",
        (table,),
    )
    return dict(rows.fetchall())


def test_migrating_again_finds_nothing_to_do(settings: DatabaseSettings) -> None:
    assert (None, schema_head()) == migrate(settings)
    assert (schema_head(), schema_head()) == migrate(settings)


def test_ten_containers_that_start_at_once_migrate_once(settings: DatabaseSettings) -> None:
    with ThreadPoolExecutor(10) as pool:
        results = list(pool.map(lambda _: migrate(settings), range(10)))
    assert [(None, schema_head())] == [result for result in results if result[0] is None]
    assert [(schema_head(), schema_head())] * 9 == [result for result in results if result[0]]


def test_a_database_of_a_newer_release_is_refused_and_left_alone(
    settings: DatabaseSettings, connection: psycopg.Connection[Any]
) -> None:
    connection.execute("UPDATE alembic_version SET version_num = '9999', oldest_schema = '9999'")
    with pytest.raises(SchemaMismatch, match="9999, newer than this release"):
        migrate(settings)
    version = connection.execute("SELECT version_num FROM alembic_version").fetchall()
    assert [("9999",)] == version


def test_a_database_that_is_not_there_is_unavailable(settings: DatabaseSettings) -> None:
    nowhere = settings.model_copy(update={"db_name": "no_such_database"})
    with pytest.raises(DatabaseUnavailable, match="no_such_database"):
        migrate(nowhere)


def test_a_failed_migration_leaves_nothing_behind(settings: DatabaseSettings) -> None:
    """One transaction: a table in the way, and none of ours are there."""
    with psycopg.connect(**settings.conninfo, autocommit=True) as connection:
        connection.execute("CREATE TABLE schema_drift (mine text)")
        with pytest.raises(DatabaseUnavailable, match="schema_drift"):
            migrate(settings)
        tables = connection.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
        ).fetchall()
    assert [("schema_drift",)] == tables


def test_each_data_table_has_the_columns_that_the_code_writes(
    connection: psycopg.Connection[Any],
) -> None:
    for table in DATA_TABLES:
        columns = columns_of(connection, table.name).keys()
        assert set(table.columns) <= columns, table.name
        beside = columns - set(table.columns)
        assert beside <= {
            "as_of",
            "object_id",
            "event_order",
            "removed_at",
            "patched",
            "latest_credible",
            "digest_object_id",
        }, table.name
        assert {"extra", "removed_at"} <= columns, table.name


def test_columns_have_the_types_that_their_names_promise(
    connection: psycopg.Connection[Any],
) -> None:
    promised = {
        "_utc": "timestamp with time zone",
        "_lcl": "timestamp without time zone",
        "_bus_dt": "date",
        "_ttl": "numeric",
        "_qty": "numeric",
        "_id": "bigint",
        "_num": "bigint",
        "_flag": "boolean",
        "_at": "timestamp with time zone",
    }
    as_text = {"record_id", "store_id", *(column_of(name) for name in SCALARS)}
    for table in (*(table.name for table in DATA_TABLES), "menu_items"):
        for column, kind in columns_of(connection, table).items():
            for ending, expected in promised.items():
                if column.endswith(ending) and column not in as_text:
                    assert expected == kind, (table, column)


def test_money_is_stored_without_a_scale_that_would_round_it(
    connection: psycopg.Connection[Any],
) -> None:
    rounded = connection.execute(
        "SELECT table_name, column_name FROM information_schema.columns"
        " WHERE table_schema = 'public' AND data_type = 'numeric' AND numeric_scale IS NOT NULL"
    ).fetchall()
    assert [] == rounded


def test_every_table_and_view_and_each_of_their_columns_has_a_comment(
    connection: psycopg.Connection[Any],
) -> None:
    silent = connection.execute(
        "SELECT relname, attname FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid"
        " WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'm')"
        " AND relname <> 'alembic_version' AND attnum > 0 AND NOT attisdropped"
        " AND col_description(attrelid, attnum) IS NULL"
        " UNION ALL SELECT relname, '' FROM pg_class"
        " WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'm')"
        " AND relname <> 'alembic_version' AND obj_description(oid, 'pg_class') IS NULL"
    ).fetchall()
    assert [] == silent


def test_every_function_has_a_comment(connection: psycopg.Connection[Any]) -> None:
    silent = connection.execute(
        "SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace"
        " AND obj_description(oid, 'pg_proc') IS NULL"
    ).fetchall()
    assert [] == silent


def test_children_are_tied_to_checks_and_lines_to_items(
    connection: psycopg.Connection[Any],
) -> None:
    keys = connection.execute(
        "SELECT conrelid::regclass::text, confrelid::regclass::text FROM pg_constraint"
        " WHERE contype = 'f' ORDER BY 1, 2"
    ).fetchall()
    expected = [
        ("detail_lines", "guest_checks"),
        ("detail_lines", "menu_items"),
        ("object_findings", "drift_findings"),
        ("object_findings", "ingested_objects"),
        ("taxes", "guest_checks"),
    ]
    assert expected == keys


def test_check_and_item_ids_lead_an_index_wherever_they_appear(
    connection: psycopg.Connection[Any],
) -> None:
    leading = connection.execute(
        "SELECT c.relname, a.attname FROM pg_index AS i"
        " JOIN pg_class AS c ON c.oid = i.indrelid"
        " JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]"
    ).fetchall()
    for table in (*(table.name for table in DATA_TABLES), "menu_items"):
        for column in {"guest_check_id", "menu_item_id"} & columns_of(connection, table).keys():
            assert (table, column) in leading


def test_the_views_say_what_a_day_brought_and_where_a_header_differs_from_its_lines(
    database: dict[str, str],
) -> None:
    """Cancelled checks, removed taxes and voided lines are left out."""
    with open_warehouse(database, sessions=1) as warehouse:
        day = {"opnBusDt": "2024-01-01", "gstCnt": 2}
        tax, item = {"taxNum": 1, "taxCollTtl": 10}, {"menuItem": {"miNum": 1}}
        sold = {"guestCheckLineItemId": 1, "dspTtl": Decimal("50.5"), **item}
        void = {"guestCheckLineItemId": 2, "dspTtl": 99, "vdFlag": True, **item}
        paid = {"guestCheckLineItemId": 3, "dspTtl": 61, "tenderMedia": {"tmedNum": 1}}
        good = full_check(1, **day, subTtl=Decimal("50.5"), dscTtl=-3, payTtl=61)
        differs = full_check(2, **day, subTtl=20, dscTtl=0, payTtl=20)
        first = checks(
            {**good, "taxes": [tax, {**tax, "taxNum": 2}], "detailLines": [sold, void, paid]},
            {**differs, "detailLines": [{**sold, "guestCheckLineItemId": 4}]},
            full_check(3, **day, subTtl=1000, cancelFlag=True),
        )
        second = checks({**good, "taxes": [tax], "detailLines": [sold, void, paid]})
        warehouse.load(staged(first))
        warehouse.load(staged(second, number=1))
        [revenue] = warehouse.query("SELECT * FROM v_daily_revenue")
        [difference] = warehouse.query("SELECT * FROM v_check_reconciliation")
    del revenue["store_id"], revenue["bus_dt"]
    expected = {"checks": 2, "guests": 4, "net": Decimal("70.5"), "tax": 10, "discounts": -3}
    assert expected | {"checks_without_net": 0, "net_without_tax": Decimal("60.5")} == revenue
    assert 2 == difference["guest_check_id"]
    assert (Decimal("-30.5"), 20) == (
        difference["sub_ttl_difference"],
        difference["pay_ttl_difference"],
    )


def test_a_day_without_any_net_has_no_revenue_rather_than_0(
    database: dict[str, str],
) -> None:
    """As when `subTtl` was renamed upstream: such a day looked like one without sales."""
    day, other = {"opnBusDt": "2024-01-02"}, {"opnBusDt": "2024-01-03"}
    with open_warehouse(database, sessions=1) as warehouse:
        warehouse.load(staged(checks(full_check(1, **day, subTtl=5), full_check(2, **day))))
        warehouse.load(staged(checks(full_check(3, **other)), number=1))
        days = warehouse.query(
            "SELECT net, checks, checks_without_net FROM v_daily_revenue ORDER BY bus_dt"
        )
    assert [tuple(row.values()) for row in days] == [(5, 2, 1), (None, 1, 1)]


def test_tables_in_another_schema_are_not_left_behind(database: dict[str, str]) -> None:
    """An older release put them where the role's search_path said."""
    settings = database_settings(database)
    migrate(settings)
    with psycopg.connect(**settings.conninfo, autocommit=True) as connection:
        connection.execute("ALTER SCHEMA public RENAME TO sales")
        connection.execute("CREATE SCHEMA public")
        with pytest.raises(SchemaMismatch, match=r"in schema sales.*SET SCHEMA public"):
            migrate(settings)
        tables = connection.execute("SELECT FROM pg_tables WHERE schemaname = 'public'")
        assert tables.rowcount == 0
