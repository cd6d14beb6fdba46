"""Dead letters as operators see them, and which of them a command means. Pure."""

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from consumer.aws.sqs import Delivery
from consumer.ingest.error_logs import log_key
from schemas.codes import ErrorCode
from schemas.envelopes import EventMalformed, ObjectEvent, decode_body

_REDRIVEN = (
    "came by the queue's redrive policy: after a bug, of which the error log tells, or because "
    "consumers died of it, which leaves no log"
)


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One parked message.

    A message that came by the queue's redrive policy (`redriven`) carries no reason: its code is
    then `internal`, its object is read from its body, its log lies where a bug's would, and when
    it failed is not known.
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
    def parked_at(self) -> datetime | None:
        """When it failed, or else when the message was first sent: it failed after that."""
        return self.failed_at or self.sent_at

    def as_json(self) -> dict[str, Any]:
        """Return what operators see of it."""
        shown = asdict(self)
        del shown["delivery"]
        for name in ("failed_at", "sent_at"):
            shown[name] = shown[name].isoformat() if shown[name] else None
        return {"id": self.id} | shown


@dataclass(frozen=True, slots=True)
class Filters:
    """Which dead letters are meant; all conditions must hold."""

    error_code: ErrorCode | None = None
    key_prefix: str | None = None
    since: datetime | None = None
    ids: frozenset[str] | None = None
    limit: int | None = None

    @property
    def most(self) -> float:
        """After how many matches no other can be meant."""
        limits = (self.limit, None if self.ids is None else len(self.ids))
        return min((limit for limit in limits if limit is not None), default=float("inf"))

    def match(self, letter: DeadLetter) -> bool:
        """Say whether a dead letter is meant, apart from the limit."""
        return (
            (self.error_code is None or letter.error_code == self.error_code)
            and (self.key_prefix is None or letter.object_key.startswith(self.key_prefix))
            and (
                self.since is None
                or (letter.parked_at is not None and letter.parked_at >= self.since)
            )
            and (self.ids is None or letter.id in self.ids)
        )


def read_letter(delivery: Delivery) -> DeadLetter:
    """Read a parked message's reason from its attributes."""
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
        attempts=_count(attributes.get("Attempts")),
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
