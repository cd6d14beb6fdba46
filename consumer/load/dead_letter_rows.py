"""Rows of dead letters: written before a message goes to the dead-letter queue, and after.

A row never says that a message is on the queue before SQS took it. Killed in between, it stays
`unconfirmed` until the message comes again, or until somebody looks at the queue.
"""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import structlog
from psycopg_pool import AsyncConnectionPool

from consumer.causes import Cause
from consumer.errors import ConsumerError, Permanent
from consumer.load import statements
from consumer.load.database import borrowed
from schemas.envelopes import ObjectEvent

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Letter:
    """A dead letter that is about to be: sent by us, or moved by SQS under the id it has."""

    event: ObjectEvent | None
    cause: Cause
    error_message: str
    error_log_key: str
    original_id: str
    attempts: int
    failed_at: datetime
    message_id: str | None = None  # of one that SQS moves

    def parameters(self) -> dict[str, Any]:
        """Return what the statement needs."""
        event = self.event
        about = {
            "bucket": event and event.bucket,
            "object_key": event and event.key,
            "version": event and (event.version_id or event.etag),
        }
        own = {"cause": self.cause.id, "error_code": self.cause.code, **cause_row(self.cause)}
        return {**asdict(self), **about, **own}


def cause_row(cause: Cause | None) -> dict[str, str | None]:
    """Return the columns of a cause, as parameters of a statement."""
    return {
        "cause": cause.id if cause else None,
        "cause_source": cause.source if cause else None,
        "cause_location": cause.location if cause else None,
        "cause_problem": cause.problem if cause else None,
    }


class DeadLetterRows:
    """Writes the rows of what is dead-lettered."""

    def __init__(self, pool: AsyncConnectionPool) -> None:
        self._pool = pool

    async def announce(self, letter: Letter) -> None:
        """Write that a message is about to become a dead letter; idempotent.

        Raises:
            Transient: the database did not take it; nothing may be sent.
        """
        try:
            async with borrowed(self._pool) as session:
                await session.execute(statements.fixed("announce_dead_letter"), letter.parameters())
        except Permanent as error:
            # What the table cannot hold must not stop its dead letter: a look at the queue tells.
            log.warning("dead_letter_refused", error_log_key=letter.error_log_key, code=error.code)

    async def confirm(self, error_log_key: str, message_id: str) -> None:
        """Write that SQS took it. Never fails: sent again, it would be there twice."""
        about = {"error_log_key": error_log_key, "message_id": message_id}
        try:
            async with borrowed(self._pool) as session:
                await session.execute(statements.fixed("confirm_dead_letter"), about)
        except ConsumerError as error:
            log.warning("dead_letter_unconfirmed", message_id=message_id, code=error.code)
