"""PostgreSQL's columns as Iceberg's: which, of what type, and how a table's schema follows them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from pyiceberg.schema import Schema
from pyiceberg.table import Table
from pyiceberg.types import (
    BooleanType,
    DateType,
    DecimalType,
    IcebergType,
    LongType,
    NestedField,
    StringType,
    TimestampType,
    TimestamptzType,
)

from lakehouse.errors import LakehouseError
from lakehouse.feed import Connection, statement
from lakehouse.tables import BUSINESS_DAY, LOADERS_COLUMNS, PERSONAL_COLUMNS, RENAMED, TABLES

# With the contracts' bounds (28 digits before the point, 10 after it) every number fits.
TYPES: dict[str, IcebergType] = {
    "text": StringType(),
    "jsonb": StringType(),
    "bigint": LongType(),
    "integer": LongType(),
    "numeric": DecimalType(38, 10),
    "boolean": BooleanType(),
    "date": DateType(),
    "timestamp with time zone": TimestamptzType(),
    "timestamp without time zone": TimestampType(),
}

Columns = Mapping[str, Sequence["Column"]]


@dataclass(frozen=True, slots=True)
class Column:
    """A column of PostgreSQL that is exported."""

    name: str
    kind: str
    comment: str | None = None


def stored_columns(connection: Connection, personal: Iterable[str]) -> Columns:
    """Return the columns to export, by table, in their order."""
    left_out = LOADERS_COLUMNS | (PERSONAL_COLUMNS - set(personal))
    names = {table.relation: table.name for table in TABLES.values()}
    columns: dict[str, list[Column]] = {name: [] for name in TABLES}
    rows = connection.execute(statement("list_columns"), [list(names)]).fetchall()
    for relation, name, kind, comment in rows:
        if name not in left_out:
            columns[names[relation]].append(Column(name, kind, comment))
    return columns


def schema_of(table: str, columns: Sequence[Column]) -> Schema:
    """Return the schema of a table that is made now; every column may be NULL.

    Raises:
        LakehouseError: a column has a type that we do not export.
    """
    fields = [(column.name, _type_of(table, column), column.comment) for column in columns]
    if TABLES[table].day is not None:
        about = "Partition: the business day that the row counts for"
        fields.insert(0, (BUSINESS_DAY, DateType(), about))
    return Schema(
        *(
            NestedField(number, name, kind, required=False, doc=comment)
            for number, (name, kind, comment) in enumerate(fields, start=1)
        )
    )


def evolve(table: str, iceberg: Table, columns: Sequence[Column]) -> bool:
    """Let an Iceberg table follow PostgreSQL's columns; say whether it was changed.

    New columns are added, renamed ones renamed; dropped ones stay, and are NULL from now on.

    Raises:
        LakehouseError: a column has another type than the exported one.
    """
    # By name and type; ids are the table's own.
    known = {field.name: field.field_type for field in iceberg.schema().fields}
    wanted = {field.name: field for field in schema_of(table, columns).fields}
    renames = {
        old: new
        for (of, old), new in RENAMED.items()
        if of == table and old in known and new in wanted and new not in known
    }
    for old, new in renames.items():
        known[new] = known.pop(old)
    new_fields = [field for name, field in wanted.items() if name not in known]
    for name, field in wanted.items():
        if name in known and known[name] != field.field_type:
            raise LakehouseError(
                f"{table}.{name} was exported as {known[name]} and is {field.field_type} now, "
                "which Iceberg cannot change: rename the column, or drop the Iceberg table and "
                "run `lakehouse export --all`"
            )
    if not renames and not new_fields:
        return False
    with iceberg.update_schema() as update:
        for old, new in renames.items():
            update.rename_column(old, new)
        for field in new_fields:
            update.add_column(field.name, field.field_type, doc=field.doc)
    return True


def exported_columns(iceberg: Table, columns: Sequence[Column]) -> list[str]:
    """Return the columns that a new file has, in the order of the table's schema."""
    present = {column.name for column in columns} | {BUSINESS_DAY}
    return [field.name for field in iceberg.schema().fields if field.name in present]


def _type_of(table: str, column: Column) -> IcebergType:
    if column.kind not in TYPES:
        raise LakehouseError(
            f"{table}.{column.name} is {column.kind}, for which lakehouse/columns.py has no type"
        )
    return TYPES[column.kind]
