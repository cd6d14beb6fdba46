"""A dead-letter queue in virtual time that holds a few dead letters, and looks at it."""

from collections.abc import Mapping
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from typing import Any

from consumer.operate.dlq.dead_letters import Filters
from consumer.operate.dlq.queue import select
from tests.support.consumer_fakes import FakeQueue, announcing, now

FAILED_AT = datetime(2024, 6, 1, 12, tzinfo=UTC)


def reason(
    key: str = "raw/erp/a.json", code: str = "json_malformed", hours: int = 0
) -> Mapping[str, str]:
    """Give the attributes of a dead letter that failed so many hours after the first."""
    return {
        "ErrorCode": code,
        "ErrorMessage": "broken",
        "ErrorLogKey": "logs/errors/erp/x.json",
        "ObjectKey": key,
        "FailedAt": (FAILED_AT + timedelta(hours=hours)).isoformat(),
        "Attempts": "3",
    }


def dead_lettered(*dead_letters: Mapping[str, str]) -> FakeQueue:
    """Give a dead-letter queue that holds these."""
    queue = FakeQueue(visibility_seconds=60)
    for attributes in dead_letters:
        queue.put(announcing(attributes.get("ObjectKey", "raw/erp/redriven.json")), attributes)
    return queue


async def found(queue: FakeQueue, **filters: Any) -> list[str]:
    """Return the ids of what a look with these filters sees."""
    async with aclosing(select(queue, Filters(**filters))) as groups:
        return [dead_letter.id async for group in groups for dead_letter in group]


def visible(queue: FakeQueue) -> list[str]:
    """Return the ids of the messages that may be received now."""
    return [m.message_id for m in queue.messages.values() if m.visible_at <= now()]


DEAD_LETTERS: tuple[Mapping[str, str], ...] = (
    reason("raw/erp/a.json", "json_malformed", hours=0),
    reason("raw/erp/b.json", "schema_invalid", hours=1),
    reason("raw/api_responses/x.json", "json_malformed", hours=2),
    {},
)
