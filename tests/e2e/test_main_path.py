"""The way of the data as the README tells it, by the programs alone."""

from schemas.registry import ENDPOINTS
from tests.support.facts import TABLES
from tests.support.programs import query, succeed


def test_two_days_of_a_store_come_from_the_api_into_every_table(
    environment: dict[str, str],
) -> None:
    """Pulling the same days once more writes nothing; every object has its end in the ledger."""
    pull = ("pull", "--from", "2024-01-01", "--to", "2024-01-02", "--store", "99 CB CB")
    succeed("consumer", "migrate", environment=environment)
    counts = []
    for _ in range(2):
        succeed("producer", *pull, environment=environment)
        succeed("consumer", "run", "--until-idle", "1", environment=environment)
        counts.append({table: count(environment, table) for table in TABLES})
    first, second = counts
    assert all(first.values()), first
    assert first == second
    assert query(environment, "SELECT state, count(*) FROM ingested_objects GROUP BY state") == [
        ("loaded", 2 * len(ENDPOINTS))
    ]
    status = succeed("consumer", "status", environment=environment)
    assert "queue: 0 visible, 0 in flight" in status
    assert "suspected" not in succeed("consumer", "drift", environment=environment)


def count(environment: dict[str, str], table: str) -> int:
    [(rows,)] = query(environment, f"SELECT count(*) FROM {table} WHERE removed_at IS NULL")
    return int(rows)
