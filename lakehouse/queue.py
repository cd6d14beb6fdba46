"""What is queued for the next export; needs PostgreSQL only."""

from typing import Any

import psycopg

from lakehouse import feed
from lakehouse.feed import Connection


def queue_status(connection: Connection) -> dict[str, Any]:
    """Return whether changes are noted, and what is queued by topic."""
    try:
        rows = connection.execute(
            "SELECT topic, count(DISTINCT coalesce(business_day::text, '')), min(noted_at) "
            "FROM lakehouse_changes GROUP BY topic ORDER BY topic"
        ).fetchall()
    except psycopg.errors.UndefinedTable:
        connection.rollback()
        return {"noted": False, "queued": []}
    queued = [{"topic": topic, "days": days, "since": since} for topic, days, since in rows]
    is_noted = feed.is_complete(connection)
    connection.rollback()
    return {"noted": is_noted, "queued": queued}
