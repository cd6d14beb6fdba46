"""Runs the steps that a database has not seen yet; Alembic keeps their order and the last one."""

from itertools import pairwise
from pathlib import Path

from alembic.runtime.migration import MigrationContext, MigrationStep, StampStep
from sqlalchemy import Connection, text

from consumer.load.migrations.steps import oldest_schema, step_files, step_number

_RECORD_OLDEST = text("UPDATE alembic_version SET oldest_schema = :oldest")


def upgrade(connection: Connection) -> None:
    """Run the steps that a database has not seen yet, in the connection's transaction.

    After them the tables say which releases work with them.
    """
    unseen: list[MigrationStep] = []

    def steps(current: tuple[str, ...], _: MigrationContext) -> list[MigrationStep]:
        pairs = pairwise([None, *step_files()])
        unseen.extend(
            _Step(before, path) for before, path in pairs if path and (step_number(path),) > current
        )
        return unseen

    context = MigrationContext.configure(connection, opts={"fn": steps})
    context.run_migrations(connection=connection)
    if unseen:
        connection.execute(_RECORD_OLDEST, {"oldest": oldest_schema()})


class _Step(StampStep):
    def __init__(self, before: Path | None, path: Path) -> None:
        is_first = before is None
        stands_on = None if before is None else step_number(before)
        super().__init__(stands_on, step_number(path), is_upgrade=True, branch_move=is_first)
        self._path, self.migration_fn = path, self._run

    def _run(self, connection: Connection) -> None:
        # As one simple query: SQLAlchemy's own parser would read the colons and percent signs.
        session = connection.connection.driver_connection
        if session is None:
            raise RuntimeError("a step runs on an open connection only")
        session.execute(self._path.read_text(encoding="utf-8"))
