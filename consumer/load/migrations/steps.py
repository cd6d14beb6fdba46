"""The schema's steps, read from their SQL files; Alembic runs them and records the last one."""

from importlib.resources import files
from itertools import pairwise
from pathlib import Path

from alembic.runtime.migration import MigrationContext, MigrationStep, StampStep
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
    return frozenset(map(_number, step_files()))


def upgrade(connection: Connection) -> None:
    """Run the steps that a database has not seen yet, in the connection's transaction."""

    def steps(current: tuple[str, ...], _: MigrationContext) -> list[MigrationStep]:
        pairs = pairwise([None, *step_files()])
        return [
            _Step(before, path) for before, path in pairs if path and (_number(path),) > current
        ]

    context = MigrationContext.configure(connection, opts={"fn": steps})
    context.run_migrations(connection=connection)


class _Step(StampStep):
    def __init__(self, before: Path | None, path: Path) -> None:
        is_first = before is None
        stands_on = None if before is None else _number(before)
        super().__init__(stands_on, _number(path), is_upgrade=True, branch_move=is_first)
        self._path, self.migration_fn = path, self._run

    def _run(self, connection: Connection) -> None:
        # As one simple query: SQLAlchemy's own parser would read the colons and percent signs.
        session = connection.connection.driver_connection
        if session is None:
            raise RuntimeError("a step runs on an open connection only")
        session.execute(self._path.read_text(encoding="utf-8"))


def _number(path: Path) -> str:
    return path.name.partition("_")[0]
