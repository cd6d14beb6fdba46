"""Store-days whose ERP has renamed the id of a check: each is dead-lettered until an alias says so."""

import json
from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path
from urllib.parse import quote

from tests.conftest import Lake
from tests.support.consuming import consume, put
from tests.support.programs import query, until

HOSTILE = "<img src=x onerror=alert(1)>"
STORES = ("001", "São João", HOSTILE, "99 CB CB")
FIRST = date(2024, 3, 4)
ALIASES = '[getGuestChecks]\n"guestChecks.guestCheckId" = ["checkNumber"]\n'


def put_renamed(lake: Lake, days: int, stores: tuple[str, ...] = STORES) -> int:
    """Put an answer of each store and day into the lake; return how many."""
    for number, store in enumerate(stores):
        for back in range(days):
            day = FIRST + timedelta(days=back)
            check = {
                "checkNumber": 1000 * number + back,
                "opnBusDt": str(day),
                "lastUpdatedUTC": f"{day}T20:00:00",
                "subTtl": 80.5,
            }
            asked_at = f"{day + timedelta(days=1)}T06:00:00"  # the day is over
            body = {"curUTC": asked_at, "locRef": store, "guestChecks": [check]}
            key = f"busDt={day}/storeId={quote(store, safe='')}/{FIRST:%Y%m%d}T230000.000000Z.json"
            put(lake, f"raw/api_responses/getGuestChecks/{key}", json.dumps(body).encode())
    return len(stores) * days


def dead_letter(lake: Lake, environment: dict[str, str], days: int = 5) -> int:
    """Let renamed answers be dead-lettered; return how many."""
    count = put_renamed(lake, days)
    consume(environment)
    assert count == waiting(environment)
    return count


def waiting(environment: Mapping[str, str]) -> int:
    """Count what is known to be on the dead-letter queue."""
    [(count,)] = query(environment, "SELECT count(*) FROM dead_letters WHERE state = 'waiting'")
    return int(count)


def with_alias(environment: Mapping[str, str], directory: Path) -> dict[str, str]:
    """Return the environment of a consumer that knows the new name."""
    path = directory / "aliases.toml"
    path.write_text(ALIASES)
    return {**environment, "SCHEMA_ALIASES_FILE": str(path)}


def until_sent(environment: Mapping[str, str], count: int) -> None:
    """Wait until so many messages have been replayed."""

    def is_sent() -> bool:
        statement = "SELECT count(*) FROM operator_action_items WHERE state = 'replayed'"
        return query(environment, statement) == [(count,)]

    until(is_sent, f"{count} messages are replayed")
