"""A field that gets a column: what was stored of it before moves there, and its drift ends."""

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row

from consumer.load.migrations.migrate import migrate
from consumer.load.migrations.schema import stored_columns
from consumer.load.migrations.writing import migration
from schemas.registry import Source
from tests.support.facts import KINDS, LISTS, Kind, column
from tests.support.released import FIRST_STEP
from tests.support.samples import checks, day_list, full_check, staged
from tests.support.warehouse import Warehouse, database_settings, open_warehouse

Connection = psycopg.Connection[Any]


@pytest.fixture
def warehouse(database: dict[str, str]) -> Iterator[Warehouse]:
    with open_warehouse(database, sessions=1) as opened:
        yield opened


@pytest.fixture
def connection(warehouse: Warehouse) -> Iterator[Connection]:
    conninfo = warehouse.settings.conninfo
    with psycopg.connect(**conninfo, autocommit=True, row_factory=dict_row) as opened:
        opened.execute("SET TIME ZONE 'America/Sao_Paulo'")
        yield opened


def promote(connection: Connection, table: str, **fields: str) -> None:
    """Give fields a column, as a migration does."""
    for name, kind in fields.items():
        connection.execute(f"ALTER TABLE {table} ADD COLUMN {column(name)} {kind}".encode())
    columns = json.dumps({name: column(name) for name in fields})
    connection.execute("SELECT promote_fields(%s, %s)", (table, columns))


@pytest.mark.parametrize("kind", [pytest.param(kind, id=name) for name, kind in KINDS.items()])
def test_old_values_become_what_the_contract_would_make_of_them_or_stay(
    warehouse: Warehouse, connection: Connection, kind: Kind
) -> None:
    """What a field of the kind refuses stays in extra; null is gone from there."""
    values = [value for value, _ in kind.taken]
    odd = [value for value in kind.refused if not isinstance(value, Decimal) or value.is_finite()]
    rows = [full_check(number, novelty=value) for number, value in enumerate([*values, None, *odd])]
    warehouse.load(staged(checks(*rows)))
    promote(connection, "guest_checks", novelty=kind.column)
    found = warehouse.query("SELECT novelty, extra FROM guest_checks ORDER BY guest_check_id")
    meant = [warehouse_value(kind, value) for _, value in kind.taken]
    assert [*meant, None] == [row["novelty"] for row in found[: len(values) + 1]]
    assert {None} == {row["extra"] for row in found[: len(values) + 1]}
    assert [{"novelty": value} for value in odd] == [row["extra"] for row in found[-len(odd) :]]
    assert {None} == {row["novelty"] for row in found[-len(odd) :]}


def warehouse_value(kind: Kind, value: Any) -> Any:
    """Give a value as its column holds it: naive times are UTC there, or have no zone at all."""
    if kind.column.startswith("timestamp"):
        in_utc = value.isoformat().partition("+")[0]
        zone = "+00:00" if kind.column == "timestamp with time zone" else ""
        return type(value).fromisoformat(in_utc + zone)
    return value


def test_other_fields_in_extra_stay_and_moving_again_changes_nothing(
    warehouse: Warehouse, connection: Connection
) -> None:
    warehouse.load(staged(checks(full_check(1, loyaltyNum=7, other={"a": [1]}))))
    promote(connection, "guest_checks", loyaltyNum="bigint")
    once = warehouse.query("SELECT *, ctid::text FROM guest_checks")
    connection.execute("""SELECT promote_fields('guest_checks', '{"loyaltyNum": "loyalty_num"}')""")
    assert once == warehouse.query("SELECT *, ctid::text FROM guest_checks")
    assert [(7, {"other": {"a": [1]}})] == [(row["loyalty_num"], row["extra"]) for row in once]


def test_a_field_of_a_sub_object_moves_for_lines_of_its_type_alone(
    warehouse: Warehouse, connection: Connection
) -> None:
    """A second sub-object of a line stays in extra as a whole."""
    details: list[dict[str, Any]] = [
        {"discount": {"dscNum": 1, "grade": 5}},
        {"discount": {"dscNum": 1, "grade": 6, "more": 1}},
        {"menuItem": {"miNum": 2}, "discount": {"grade": 7}},
    ]
    lines = [{"guestCheckLineItemId": n, **detail} for n, detail in enumerate(details)]
    warehouse.load(staged(checks(full_check(1, detailLines=lines))))
    connection.execute("ALTER TABLE detail_lines ADD COLUMN grade bigint")
    connection.execute("""SELECT promote_fields('detail_lines', '{"discount.grade": "grade"}')""")
    rows = warehouse.query(
        "SELECT grade, extra FROM detail_lines ORDER BY guest_check_line_item_id"
    )
    expected = [(5, None), (6, {"discount": {"more": 1}}), (None, {"discount": {"grade": 7}})]
    assert expected == [(row["grade"], row["extra"]) for row in rows]


def test_what_partial_documents_said_of_a_field_still_counts_as_old_as_it_is(
    warehouse: Warehouse, connection: Connection
) -> None:
    """A full document that arrives later, but is older, leaves the promoted value alone."""
    line = {"guestCheckLineItemId": 1, "discount": {"dscNum": 1, "grade": 5}}
    partial = {"guestCheckId": 1, "loyaltyNum": "7", "new": 1, "detailLines": [line]}
    warehouse.load(staged(checks(partial, curUTC="2024-01-02T00:00:00")))
    promote(connection, "guest_checks", loyaltyNum="bigint")
    connection.execute("ALTER TABLE detail_lines ADD COLUMN grade bigint")
    connection.execute("""SELECT promote_fields('detail_lines', '{"discount.grade": "grade"}')""")
    older = full_check(1, gstCnt=3, detailLines=[{"guestCheckLineItemId": 1}])
    warehouse.load(staged(checks(older, curUTC="2024-01-01T12:00:00"), number=1))
    [check] = warehouse.rows("guest_checks")
    assert (3, 7, {"new": 1}) == (check["gst_cnt"], check["loyalty_num"], check["extra"])
    [found] = warehouse.rows("detail_lines")
    assert (5, 1) == (found["grade"], found["dsc_num"])
    assert "extra" not in found


def old_database(settings: Any) -> None:
    """Make the tables of release 0.1.0."""
    with psycopg.connect(**settings.conninfo, autocommit=True) as connection:
        connection.execute(FIRST_STEP.read_bytes())
        connection.execute("CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY)")
        connection.execute("INSERT INTO alembic_version VALUES ('0001')")


def test_a_filled_database_is_after_the_migration_as_if_its_columns_had_always_been_there(
    database: dict[str, str],
) -> None:
    """The rows of the lists, kept in extra by an older release, equal those of a fresh load."""
    settings = database_settings(database)
    old_database(settings)
    new = "INSERT INTO {} (store_id, bus_dt, record_id, extra, as_of, object_id) VALUES "
    sent = {}
    with psycopg.connect(**settings.conninfo, autocommit=True) as connection:
        for name, facts in LISTS.items():
            later = [field for field in facts.fields if field not in FIRST_FIELDS]
            kinds = {field: KINDS[facts.fields[field]] for field in later}
            sent[name] = {field: kind.taken[0][0] for field, kind in kinds.items()}
            extra = json.dumps(sent[name] | {"unknown": 1})
            connection.execute(
                new.format(facts.table).encode() + b"('1', '2024-01-01', '1', %s, now(), 1)",
                (extra,),
            )
            connection.execute(
                "INSERT INTO schema_drift VALUES (%s, %s, 'unknown', now(), now(), 1, 1, '', ''),"
                " (%s, %s, 'unknown', now(), now(), 1, 1, '', '')",
                (name, f"{facts.root}.{later[0]}", name, f"{facts.root}.unknown"),
            )
    migrate(settings)
    with open_warehouse(database, sessions=1) as warehouse:
        moved = {facts.table: warehouse.rows(facts.table) for facts in LISTS.values()}
        drift = warehouse.query("SELECT path FROM drift_findings")
        warehouse.empty()
        for name in LISTS:
            source = Source(name)
            row = {source.entry.id_field: "1", **sent[name], "unknown": 1}
            warehouse.load(staged(day_list(source, row, store="1"), source, store="1"))
        assert {table: warehouse.rows(table) for table in moved} == moved
    assert {f"{facts.root}.unknown" for facts in LISTS.values()} == {row["path"] for row in drift}


FIRST_FIELDS = {"amount", "tax", "reason", "type", "openingBalance", "closingBalance"}


def test_the_step_that_is_written_gives_a_database_all_that_it_lacks(
    warehouse: Warehouse, connection: Connection
) -> None:
    """Columns, a whole table, comments and indexes; afterwards there is nothing left to write."""
    contracts = warehouse.runner.run(stored_columns(warehouse.sessions[0]))
    connection.execute("ALTER TABLE guest_checks DROP COLUMN num_srvc_rd, DROP COLUMN chk_ref")
    connection.execute("ALTER TABLE transactions DROP COLUMN guest_check_id")
    connection.execute("COMMENT ON COLUMN taxes.tax_rate IS 'it''s old'")
    connection.execute("DROP TABLE charge_backs")
    connection.execute(
        "INSERT INTO guest_checks (store_id, guest_check_id, extra, as_of, object_id) VALUES"
        """ ('1', 1, '{"numSrvcRd": 4, "chkRef": [1]}', now(), 1)"""
    )
    script = migration(warehouse.runner.run(stored_columns(warehouse.sessions[0])))
    connection.execute(script.encode())
    stored = warehouse.runner.run(stored_columns(warehouse.sessions[0]))
    assert contracts == stored
    assert "" == migration(stored)
    [check] = warehouse.rows("guest_checks")
    assert (4, {"chkRef": [1]}) == (check["num_srvc_rd"], check["extra"])
    indexed = warehouse.query("SELECT tablename FROM pg_indexes WHERE indexname ~ 'guest_check_id'")
    assert {"charge_backs", "transactions"} <= {row["tablename"] for row in indexed}
    day = day_list(Source.CHARGE_BACK, {"chargeId": 1, "guestCheckId": 5})
    warehouse.load(staged(day, Source.CHARGE_BACK))
    assert 5 == warehouse.rows("charge_backs")[0]["guest_check_id"]
