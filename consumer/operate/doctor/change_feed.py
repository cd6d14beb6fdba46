"""The lakehouse's change feed: whether all changes are noted, and taken away in time.

Reads tables only; the lakehouse is another program, which may not be installed here.
"""

from dataclasses import dataclass

from consumer.errors import ConsumerError
from consumer.load import statements
from consumer.load.database import open_session
from consumer.operate.doctor.findings import Finding, Unknown, fine, problem, warning
from consumer.rows.tables import DATA_TABLES
from consumer.settings import DatabaseSettings

_LATE_SECONDS = 86_400.0
_CHECK = "lakehouse"


@dataclass(frozen=True, slots=True)
class FeedFacts:
    """What the database says of the feed; `days` is None if it is not ours to read."""

    unwatched: list[str]
    days: int | None = None
    oldest_seconds: float = 0


async def probe_feed(settings: DatabaseSettings) -> FeedFacts | Unknown | None:
    """Learn of the feed; None when there is none. What the database lacks, others report."""
    tables = [*(table.name for table in DATA_TABLES), "menu_items"]
    try:
        async with open_session(settings) as session:
            cursor = await session.execute(statements.fixed("diagnose_feed"), [tables])
            feed = await cursor.fetchone()
            if feed is None:
                return None
            unwatched, is_readable = feed
            if not is_readable:
                return FeedFacts(unwatched)
            cursor = await session.execute(statements.fixed("diagnose_queue"))
            [[days, oldest_seconds]] = await cursor.fetchall()
            return FeedFacts(unwatched, days, oldest_seconds)
    except ConsumerError:
        return None


def check_feed(facts: FeedFacts | Unknown | None) -> list[Finding]:
    """Judge the feed; nothing to say where the lakehouse is not used."""
    if facts is None or isinstance(facts, Unknown):
        return []
    if facts.unwatched:
        found = f"changes of {', '.join(facts.unwatched)} are not noted for the Iceberg copy"
        return [problem(_CHECK, found, "run `lakehouse init`, which queues all days again")]
    if facts.days is None:
        return [fine(_CHECK, "changes are noted for the Iceberg copy")]
    found = f"{facts.days} changed days are queued for the Iceberg copy"
    if facts.oldest_seconds > _LATE_SECONDS:
        hours = facts.oldest_seconds / 3600
        remedy = "see that `lakehouse run` works, or run `lakehouse disable`"
        return [warning(_CHECK, f"{found}, the oldest for {hours:.0f} hours", remedy)]
    return [fine(_CHECK, found)]
