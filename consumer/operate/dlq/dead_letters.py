"""Dead letters as operators see them, and which of them a filter matches. Pure."""

from collections.abc import Collection
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from consumer.aws.sqs import Delivery
from consumer.ingest.error_logs import log_key
from runtime.terminal import read_time
from schemas.codes import ErrorCode
from schemas.envelopes import EventMalformed, ObjectEvent, decode_body

_REDRIVEN = (
    "moved here by the queue's redrive policy: after a bug, which has an error log, or because "
    "each consumer that held it was killed (for want of memory?), which leaves none"
)


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One message on the dead-letter queue; `original_id` is its id when it first came.

    One that the queue's redrive policy moved there (`redriven`) carries no reason: its code is
    `internal`, its log is where a bug's would be. Its attempts are SQS's count, which goes on over
    both queues (SQS API Reference, ReceiveMessage, ApproximateReceiveCount).
    """

    delivery: Delivery
    id: str
    original_id: str
    error_code: str
    error_message: str
    error_log_key: str
    object_key: str
    failed_at: datetime | None
    sent_at: datetime | None
    attempts: int
    redriven: bool

    @property
    def dead_lettered_at(self) -> datetime | None:
        """When it failed; if that is not known, when it was first sent."""
        return self.failed_at or self.sent_at

    def shown(self) -> dict[str, Any]:
        """Return what operators see of it."""
        return {name: value for name, value in asdict(self).items() if name != "delivery"}


@dataclass(frozen=True, slots=True)
class Filters:
    """Which dead letters are meant: those for which all conditions hold."""

    error_code: ErrorCode | None = None
    key_prefix: str | None = None
    since: datetime | None = None
    ids: Collection[str] | None = None
    limit: int | None = None

    @property
    def most(self) -> float:
        """How many can match at most."""
        limits = (self.limit, None if self.ids is None else len(self.ids))
        return min((limit for limit in limits if limit is not None), default=float("inf"))

    def told(self) -> dict[str, Any]:
        """Return the conditions that were given, as JSON holds them."""
        given = {
            "error_code": self.error_code,
            "key_prefix": self.key_prefix,
            "since": self.since and self.since.isoformat(),
            "ids": None if self.ids is None else sorted(self.ids),
            "limit": self.limit,
        }
        return {name: value for name, value in given.items() if value is not None}

    def match(self, dead_letter: DeadLetter) -> bool:
        """Say whether a dead letter matches, apart from the limit."""
        at = dead_letter.dead_lettered_at
        return (
            self.error_code in (None, dead_letter.error_code)
            and dead_letter.object_key.startswith(self.key_prefix or "")
            and (self.since is None or (at is not None and at >= self.since))
            and (self.ids is None or dead_letter.id in self.ids)
        )


def read_dead_letter(delivery: Delivery) -> DeadLetter:
    """Read a dead letter's reason from its attributes, whatever stands in them."""
    told = delivery.attributes
    event = announced(delivery.body)
    redriven = "ErrorCode" not in told
    failed_at, attempts = None, delivery.receive_count - 1 if redriven else 0
    with suppress(KeyError, ValueError):
        failed_at = read_time(told["FailedAt"])
    with suppress(KeyError, ValueError):
        attempts = int(told["Attempts"])
    return DeadLetter(
        delivery=delivery,
        id=delivery.message_id,
        original_id=delivery.original_id,
        error_code=told.get("ErrorCode", ErrorCode.INTERNAL.value),
        error_message=told.get("ErrorMessage", _REDRIVEN),
        error_log_key=log_key(delivery, event) if redriven else told.get("ErrorLogKey", ""),
        object_key=told.get("ObjectKey") or (event.key if event else ""),
        failed_at=failed_at,
        sent_at=delivery.sent_at,
        attempts=attempts,
        redriven=redriven,
    )


def announced(body: str) -> ObjectEvent | None:
    """Return the first object that a message announces, None if it announces none."""
    with suppress(EventMalformed):
        return next((one for one in decode_body(body) if isinstance(one, ObjectEvent)), None)
    return None
