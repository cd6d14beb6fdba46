"""Which tables are exported, and which rows of them belong to a business day.

Knows PostgreSQL's names and nothing of Iceberg. A new data table is a line in TABLES, a renamed
column one in RENAMED; tests hold both to the migrated database.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from psycopg import sql

#: The partition of all tables but `menu_items`; not a column of PostgreSQL.
BUSINESS_DAY = "business_day"
#: Left out unless LAKEHOUSE_PERSONAL_COLUMNS names them.
PERSONAL_COLUMNS = frozenset({"chk_name", "ref_info1", "ref_info2"})
#: Not exported: what only the loader needs, and `removed_at`, which is NULL in standing rows.
LOADERS_COLUMNS = frozenset(
    {"removed_at", "patched", "latest_credible", "content_digest", "digest_object_id"}
)
#: New name of a column by table and old name, of the releases that renamed it.
RENAMED: dict[tuple[str, str], str] = {}

CHECKS, MENU_ITEMS = "checks", "menu_items"


@dataclass(frozen=True, slots=True)
class DataTable:
    """A table in `processed/`.

    `topic` is what the change feed calls it: the tables of one topic change together. `day` is the
    column of its business day, None when it is exported whole. Rows of the table are `t`, their
    checks `c`.
    """

    name: str
    topic: str
    day: str | None
    order: tuple[str, ...]
    relation: str
    of_check: bool = False
    keeps_removed: bool = True

    @property
    def rows(self) -> sql.Composed:
        """The FROM clause and the condition of standing rows."""
        parts: list[sql.Composable] = [
            sql.SQL("FROM {} AS t").format(sql.Identifier(self.relation))
        ]
        standing: list[sql.Composable] = (
            [sql.SQL("t.removed_at IS NULL")] if self.keeps_removed else [sql.SQL("true")]
        )
        if self.of_check:
            parts.append(sql.SQL("JOIN guest_checks AS c USING (store_id, guest_check_id)"))
            standing.append(sql.SQL("c.removed_at IS NULL"))
        parts += [sql.SQL("WHERE"), sql.SQL(" AND ").join(standing)]
        return sql.SQL(" ").join(parts)

    @property
    def day_column(self) -> sql.Composable:
        """The business day of a row; NULL in a table that is exported whole."""
        if self.day is None:
            return sql.SQL("NULL::date")
        return sql.Identifier("c" if self.of_check else "t", self.day)

    def of_day(self, day: date | None) -> sql.Composed:
        """Return the condition of a day's rows; None is the day that is not known."""
        if self.day is None:
            return sql.SQL("{}").format(sql.SQL("true"))
        if day is None:
            return sql.SQL("{} IS NULL").format(self.day_column)
        return sql.SQL("{} = {}").format(self.day_column, sql.Literal(day))

    def select(self, columns: Iterable[str], day: date | None) -> sql.Composed:
        """Return the query of a day's standing rows, sorted by store and id."""
        chosen = [
            sql.SQL("{}::date").format(sql.Literal(day))
            if name == BUSINESS_DAY
            else sql.Identifier("t", name)
            for name in columns
        ]
        return sql.SQL("SELECT {} {} AND {} ORDER BY {}").format(
            sql.SQL(", ").join(chosen),
            self.rows,
            self.of_day(day),
            sql.SQL(", ").join(sql.Identifier("t", name) for name in self.order),
        )


def _of_check(name: str, child_id: str) -> DataTable:
    order = ("store_id", "guest_check_id", child_id)
    return DataTable(name, CHECKS, "opn_bus_dt", order, name, of_check=True)


def _list(name: str) -> DataTable:
    return DataTable(name, name, "bus_dt", ("store_id", "record_id"), name)


TABLES: dict[str, DataTable] = {
    table.name: table
    for table in (
        DataTable(
            "guest_checks", CHECKS, "opn_bus_dt", ("store_id", "guest_check_id"), "guest_checks"
        ),
        _of_check("taxes", "tax_num"),
        _of_check("detail_lines", "guest_check_line_item_id"),
        DataTable(
            "daily_revenue",
            CHECKS,
            "bus_dt",
            ("store_id",),
            "v_daily_revenue",
            keeps_removed=False,
        ),
        _list("fiscal_invoices"),
        _list("charge_backs"),
        _list("transactions"),
        _list("cash_management_details"),
        DataTable("menu_items", MENU_ITEMS, None, ("store_id", "menu_item_id"), "menu_items"),
    )
}
