"""The schema's steps, read from their SQL files; Alembic orders them and records the last one.

A step has no code beside its SQL: its number is its revision, and the number before it is the one
it stands on.
"""

from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import cast

from alembic.runtime.migration import MigrationContext, MigrationStep, RevisionStep
from alembic.script import Script
from alembic.script.revision import Revision, RevisionMap
from sqlalchemy import Connection


def step_files() -> list[Path]:
    """Return the SQL files of the steps, the first one first."""
    directory = Path(str(files("consumer.load.migrations")))
    return sorted(directory.glob("[0-9]*_*.sql"))


def schema_head() -> str:
    """Return the schema version that this release works with."""
    return _number(step_files()[-1])


def known_versions() -> frozenset[str]:
    """Return the schema versions that this release knows."""
    return frozenset(_number(path) for path in step_files())


def upgrade(connection: Connection) -> None:
    """Run the steps that a database has not seen yet, in the connection's transaction."""

    def steps(current: tuple[str, ...], _: MigrationContext) -> list[MigrationStep]:
        ahead = list(_revisions().iterate_revisions("head", current or "base"))
        return [
            RevisionStep(_revisions(), cast("Script", step), is_upgrade=True)
            for step in reversed(ahead)
        ]

    context = MigrationContext.configure(connection, opts={"fn": steps})
    context.run_migrations(connection=connection)


@cache
def _revisions() -> RevisionMap:
    paths = step_files()
    before = [None, *map(_number, paths)]
    return RevisionMap(lambda: map(_Step, paths, before))


class _Step(Revision):
    """A file as Alembic wants it: a module with a function `upgrade`."""

    doc = None

    def __init__(self, path: Path, before: str | None) -> None:
        super().__init__(_number(path), before)
        self.path, self.module = path, self

    def upgrade(self, connection: Connection) -> None:
        # As one simple query: SQLAlchemy's own parser would read the colons and percent signs.
        session = connection.connection.driver_connection
        if session is None:
            raise RuntimeError("a step runs on an open connection only")
        session.execute(self.path.read_text(encoding="utf-8"))


def _number(path: Path) -> str:
    return path.name.partition("_")[0]
