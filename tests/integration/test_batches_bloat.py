"""What loading the same again leaves on disk."""

from typing import Any

from tests.support.loading import load
from tests.support.samples import checks, usual_check
from tests.support.warehouse import Warehouse

CHECKS = 400
FIRST_LOADS = 6  # until pages that were filled in one go have found their room
RELOADS = 6


def header_updates(warehouse: Warehouse) -> tuple[int, int]:
    """Return how many headers were rewritten, and how many of them without new index entries."""

    async def flush() -> None:
        await warehouse.sessions[0].execute("SELECT pg_stat_force_next_flush()")

    warehouse.runner.run(flush())
    [row] = warehouse.query(
        "SELECT n_tup_upd AS all, n_tup_hot_upd AS hot FROM pg_stat_user_tables"
        " WHERE relname = 'guest_checks'"
    )
    return row["all"], row["hot"]


def size(warehouse: Warehouse) -> int:
    [row] = warehouse.query("SELECT pg_relation_size('guest_checks') AS bytes")
    return int(row["bytes"])


def reload(warehouse: Warehouse, number: int, document: dict[str, Any]) -> None:
    load(warehouse, document, number=number, key=f"raw/erp/{number}.json")


def test_headers_that_come_again_are_rewritten_without_new_index_entries(
    warehouse: Warehouse,
) -> None:
    """Each export brings every check anew: as of a later time, in another object."""
    day = checks(*(usual_check(number) for number in range(CHECKS)))
    for number in range(FIRST_LOADS):
        reload(warehouse, number, day)
    before, size_before = header_updates(warehouse), size(warehouse)
    for number in range(RELOADS):
        reload(warehouse, FIRST_LOADS + number, day)
    rewritten, hot = (
        after - earlier for after, earlier in zip(header_updates(warehouse), before, strict=True)
    )
    assert RELOADS * CHECKS == rewritten
    assert hot >= 0.98 * rewritten
    assert size_before == size(warehouse)
