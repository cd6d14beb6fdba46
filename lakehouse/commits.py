"""One commit for each table: out with the days, in with their files."""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from pyiceberg.exceptions import CommitFailedException, CommitStateUnknownException
from pyiceberg.expressions import AlwaysTrue
from pyiceberg.table import Table, Transaction
from pyiceberg.table.metadata import TableMetadata
from pyiceberg.table.update import TableUpdate

from lakehouse.errors import Conflict
from lakehouse.lake import TableState
from lakehouse.tables import BUSINESS_DAY, TABLES, DataTable


@dataclass(frozen=True, slots=True)
class Replacement:
    """Of one table: the days that go, and the files that come; None is the day not known."""

    export_id: str
    days: tuple[date | None, ...]
    paths: tuple[str, ...]


class _Transaction(Transaction):
    """A transaction that works out what the table will be once for each update.

    pyiceberg copies all metadata some forty times a commit, which was most of a small export.
    """

    _seen: tuple[TableMetadata, tuple[TableUpdate, ...], TableMetadata] | None = None

    @property
    def table_metadata(self) -> TableMetadata:
        """The table as it will be."""
        base, updates = self._table.metadata, self._updates
        if self._seen is None or self._seen[0] is not base or self._seen[1] is not updates:
            self._seen = (base, updates, super().table_metadata)
        return self._seen[2]


def commit(
    tables: Mapping[str, Table], replacements: Mapping[str, Replacement]
) -> dict[str, TableState]:
    """Put the files in the place of their days, table by table; return where all tables stand.

    Raises:
        Conflict: a table was committed to since it was loaded.
    """
    for name, replacement in replacements.items():
        table = tables[name]
        told = {"coco.export-id": replacement.export_id}
        try:
            with warnings.catch_warnings(), _Transaction(table) as transaction:
                # Days that had no rows before are no reason to warn.
                warnings.simplefilter("ignore")
                if table.current_snapshot() is not None:
                    rows = _rows_of(TABLES[name], replacement.days)
                    transaction.delete(rows, snapshot_properties=told)
                if replacement.paths:
                    transaction.add_files(
                        list(replacement.paths),
                        snapshot_properties=told,
                        check_duplicate_files=False,
                    )
        except (CommitFailedException, CommitStateUnknownException) as error:
            # Whether it went through or not, the next look at the catalogue tells.
            raise Conflict from error
    return {name: state_of(table) for name, table in tables.items()}


def state_of(table: Table) -> TableState:
    """Return where a table stands."""
    snapshot = table.current_snapshot()
    return TableState(table.metadata_location, snapshot.snapshot_id if snapshot else None)


def _rows_of(table: DataTable, days: Sequence[date | None]) -> str | AlwaysTrue:
    """Return the condition of the rows to replace: whole partitions, so that no file is read."""
    if table.day is None:
        return AlwaysTrue()
    known = ", ".join(f"'{day}'" for day in days if day is not None)
    parts = [f"{BUSINESS_DAY} IN ({known})"] if known else []
    if None in days:
        parts.append(f"{BUSINESS_DAY} IS NULL")
    return " OR ".join(parts)
