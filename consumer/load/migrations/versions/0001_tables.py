"""Tables, ledger, drift and views."""

from pathlib import Path

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the SQL file beside this one."""
    script = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    # As one simple query: the driver's own parser would read the colons and percent signs.
    connection = op.get_bind().connection.driver_connection
    if connection is None:
        raise RuntimeError("the migration runs on an open connection only")
    connection.execute(script)


def downgrade() -> None:
    """Refuse: dropping tables is restoring a backup's job."""
    raise NotImplementedError("the tables hold revenue; restore a backup instead of downgrading")
