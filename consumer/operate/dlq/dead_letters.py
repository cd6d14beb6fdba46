"""Dead letters as operators see them, and which of them a filter matches. Pure."""

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from consumer.aws.sqs import Delivery
from consumer.ingest.error_logs import log_key
from schemas.codes import ErrorCode
from schemas.envelopes import EventMalformed, ObjectEvent, decode_body

_REDRIVEN = (
    "moved here by the queue's redrive policy: after a bug, which has an error log, or because "
    "each consumer that held it was killed (for want of memory?), which leaves none"
)


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One message on the dead-letter queue.

    One that the queue's redrive policy moved there (`redriven`) carries no reason. Its code is then
    `internal`, its object is read from its body, its log is where a bug's would be, and the time
    of its failure is not known. Its attempts are SQS's count, which goes on over both queues and
    includes former looks at it (SQS API Reference, ReceiveMessage, ApproximateReceiveCount).
    """

    delivery: Delivery
    error_code: str
    error_message: str
    error_log_key: str
    object_key: str
    failed_at: datetime | None
    sent_at: datetime | None
    attempts: int
    redriven: bool

    @property
    def id(self) -> str:
        """The message id that operators name it by."""
        return self.delivery.message_id

    @property
    def original_id(self) -> str:
        """The message id under which it came first, before it was ever dead-lettered."""
        return self.delivery.original_id

    @property
    def dead_lettered_at(self) -> datetime | None:
        """When it failed; if that is not known, when it was first sent, which was before."""
        return self.failed_at or self.sent_at

    def as_json(self) -> dict[str, Any]:
        """Return what operators see of it."""
        shown = asdict(self)
        del shown["delivery"]
        for name in ("failed_at", "sent_at"):
            shown[name] = shown[name].isoformat() if shown[name] else None
        return {"id": self.id, "original_id": self.original_id} | shown


@dataclass(frozen=True, slots=True)
class Filters:
    """Which dead letters are meant: those for which all conditions hold."""

    error_code: ErrorCode | None = None
    key_prefix: str | None = None
    since: datetime | None = None
    ids: frozenset[str] | None = None
    limit: int | None = None

    @property
    def most(self) -> float:
        """How many can match at most."""
        limits = (self.limit, None if self.ids is None else len(self.ids))
        return min((limit for limit in limits if limit is not None), default=float("inf"))

    def match(self, dead_letter: DeadLetter) -> bool:
        """Say whether a dead letter matches, apart from the limit."""
        return (
            (self.error_code is None or dead_letter.error_code == self.error_code)
            and (self.key_prefix is None or dead_letter.object_key.startswith(self.key_prefix))
            and (
                self.since is None
                or (
                    dead_letter.dead_lettered_at is not None
                    and dead_letter.dead_lettered_at >= self.since
                )
            )
            and (self.ids is None or dead_letter.id in self.ids)
        )


def read_dead_letter(delivery: Delivery) -> DeadLetter:
    """Read a dead letter's reason from its attributes."""
    attributes = delivery.attributes
    event = _announced(delivery.body)
    redriven = "ErrorCode" not in attributes
    return DeadLetter(
        delivery=delivery,
        error_code=attributes.get("ErrorCode", ErrorCode.INTERNAL.value),
        error_message=attributes.get("ErrorMessage", _REDRIVEN),
        error_log_key=log_key(delivery, event) if redriven else attributes.get("ErrorLogKey", ""),
        object_key=attributes.get("ObjectKey") or (event.key if event else ""),
        failed_at=_time(attributes.get("FailedAt")),
        sent_at=delivery.sent_at,
        attempts=delivery.receive_count - 1 if redriven else _count(attributes.get("Attempts")),
        redriven=redriven,
    )


def _announced(body: str) -> ObjectEvent | None:
    """Return the first object that a message announces."""
    try:
        announced = decode_body(body)
    except EventMalformed:
        return None
    return next((item for item in announced if isinstance(item, ObjectEvent)), None)


def _count(text: str | None) -> int:
    try:
        return int(text or 0)
    except ValueError:
        return 0


def _time(text: str | None) -> datetime | None:
    try:
        time = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return time if time.tzinfo else time.replace(tzinfo=UTC)
