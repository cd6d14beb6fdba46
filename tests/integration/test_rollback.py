"""A release starts on tables that a newer one migrated, if they say that it works with them."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from typer.testing import CliRunner

from consumer.cli import cli
from consumer.errors import SchemaMismatch
from consumer.load.migrations import steps, upgrade
from consumer.load.migrations.migrate import migrate
from consumer.load.migrations.schema import check_schema
from consumer.settings import DatabaseSettings
from schemas.codes import State
from tests.support.loading import load
from tests.support.samples import checks, full_check
from tests.support.warehouse import database_settings, open_warehouse

HEAD = steps.schema_head()
NEXT = f"{int(HEAD) + 1:04}"

MigrateAsNewer = Callable[[str], DatabaseSettings]


@pytest.fixture
def newer(
    database: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> MigrateAsNewer:
    """Migrate as a release with one more step, whose head ends with a line."""

    def migrate_as_newer(line: str) -> DatabaseSettings:
        step = tmp_path / f"{NEXT}_notes.sql"
        step.write_text(
            f"-- Notes.\n{line}\n\nALTER TABLE taxes ADD COLUMN note text DEFAULT '';\n"
        )
        files = [*steps.step_files(), step]
        with monkeypatch.context() as patched:
            for module in (steps, upgrade):
                patched.setattr(module, "step_files", lambda: files)
            assert (None, NEXT) == migrate(database_settings(database))
        return database_settings(database)

    return migrate_as_newer


def test_newer_tables_that_say_so_are_loaded_by_an_older_release(
    newer: MigrateAsNewer, database: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = newer(steps.works_from(HEAD))
    asyncio.run(check_schema(settings))
    with open_warehouse(database, sessions=1) as warehouse:
        assert State.LOADED == load(warehouse, checks(full_check(1)))
    for name, value in database.items():
        monkeypatch.setenv(name, value)
    result = CliRunner().invoke(cli, ["migrate"])
    said = f"schema {NEXT}, newer than this release ({HEAD}), works with it: nothing to do\n"
    assert (0, said) == (result.exit_code, result.stdout)


@pytest.mark.parametrize("line", ["", steps.works_from(NEXT)])
def test_newer_tables_that_do_not_say_so_are_refused(newer: MigrateAsNewer, line: str) -> None:
    settings = newer(line)
    with pytest.raises(SchemaMismatch, match=f"schema {NEXT}"):
        asyncio.run(check_schema(settings))
    with pytest.raises(SchemaMismatch, match="newer than this release"):
        migrate(settings)


def test_the_step_that_asks_most_decides(newer: MigrateAsNewer) -> None:
    """A step that works with all releases does not undo what one before it said."""
    settings = newer(steps.works_from("0001"))
    with psycopg.connect(**settings.conninfo) as connection:
        oldest = connection.execute("SELECT oldest_schema FROM alembic_version").fetchall()
    assert [(steps.oldest_schema(),)] == oldest
    assert "0001" < steps.oldest_schema()
