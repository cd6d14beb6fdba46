"""An ERP answer, and whether it may be stored.

The checks keep out error pages, error bodies, other days and parts of days, nothing more: what a
document contains is the consumer's business, so unknown, renamed and odd fields all pass.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter, ValidationError

from producer.errors import AnswerRejected, NotJson
from producer.json_text import parse_json
from producer.pulling.targets import PullTarget
from schemas.fields import BusinessDate
from schemas.paging import More, find_more

_PROBLEM_FIELDS = frozenset({"type", "title", "status", "detail"})
_CHECK_DAYS = frozenset({"opnBusDt", "clsdBusDt"})
_DAYS_SHOWN_COUNT = 3
_EXCERPT_CHARS = 200
_BUSINESS_DATE: TypeAdapter[Any] = TypeAdapter(BusinessDate)


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer with status 200, as it came.

    Attributes:
        body: The bytes after any transfer and content decoding, untouched; the pages of a paged
            answer are joined.
        content_type: The media type from the answer's header, for messages only.
        status: The HTTP status.
        pulled_at: When the last byte had arrived, in UTC.
        duration_seconds: From sending the request that succeeded to its last byte.
        next_link: URL of the next part according to the header `Link` (RFC 8288); None without.
        doubt: Why the answer may be of another day; None when nothing says so.
    """

    body: bytes
    content_type: str
    status: int
    pulled_at: datetime
    duration_seconds: float
    next_link: str | None = None
    doubt: str | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """What the producer reads in an answer.

    Attributes:
        more: What says that the answer is only a part; None for the whole.
        days: The texts of its checks' business dates of opening and closing.
    """

    more: More | None = None
    days: frozenset[str] = frozenset()


def read_answer(answer: Answer, target: PullTarget) -> Reading:
    """Accept a document of the target, or a page of one. CPU-bound.

    A list that is empty, null or absent is an empty day, and accepted.

    Raises:
        AnswerRejected: The body is no JSON, no object, an empty object, an error body, or the
            answer of another store or day.
    """
    days: set[str] = set()
    try:
        document = parse_json(answer.body, _CHECK_DAYS, days)
    except NotJson as error:
        media_type = answer.content_type or "no content type"
        raise AnswerRejected(
            f"the ERP answered 200 with something other than JSON ({media_type}, "
            f"{len(answer.body)} bytes: {error})"
        ) from error
    if not isinstance(document, dict):
        kind = "a list" if isinstance(document, list) else "a single value"
        raise AnswerRejected(f"the ERP answered 200 with {kind} where an object is expected")
    if not document:
        raise AnswerRejected("the ERP answered 200 with an empty object: no store, no day")
    if is_error_body(document):
        raise AnswerRejected(f"the ERP answered 200 with an error: {error_text(document)}")
    _check_identity(document, target)
    linked = More("header Link", answer.next_link) if answer.next_link else None
    return Reading(find_more(document) or linked, frozenset(days))


def _check_identity(document: Mapping[str, Any], target: PullTarget) -> None:
    """Compare store and day as the consumer does: stores trimmed, days as dates."""
    store = document.get("storeId") or document.get("locRef")
    if isinstance(store, str) and store.strip() not in ("", target.store_id.strip()):
        raise AnswerRejected(f"the ERP answered with another store: {store[:100]!r}")
    try:
        day = _BUSINESS_DATE.validate_python(document.get("busDt"))
    except ValidationError:  # absent, or for the consumer to reject
        return
    if day != target.bus_dt:
        raise AnswerRejected(f"the ERP answered with another day: {day}")


def doubt_about(readings: Iterable[Reading], target: PullTarget) -> str | None:
    """Return why an answer may be of another day: guest checks have no day at their root.

    Args:
        readings: Its pages.
        target: What was asked.
    """
    days = sorted({day for reading in readings for day in reading.days})
    if not days or any(day.startswith(target.bus_dt.isoformat()) for day in days):
        return None
    shown = ", ".join(day[:10] for day in days[:_DAYS_SHOWN_COUNT])
    return (
        f"no check was opened or closed on {target.bus_dt}, but on {shown}"
        f"{' …' if len(days) > _DAYS_SHOWN_COUNT else ''}"
    )


def is_error_body(document: Mapping[str, Any]) -> bool:
    """Recognise `{"error": …}` and the problem body `{type, title, status, detail}`.

    A problem body may lack some of its fields (RFC 9457), so two of them suffice, unless the
    object also holds a list or names a store, as every document of ours does.
    """
    if document.get("error"):
        return True
    if any(isinstance(value, list) for value in document.values()):
        return False
    if "storeId" in document or "locRef" in document:
        return False
    return len(_PROBLEM_FIELDS & document.keys()) >= 2


def error_text(document: Mapping[str, Any]) -> str:
    """Return an error body's message as one short printable line."""
    error = document.get("error")
    if isinstance(error, Mapping):
        document, error = error, error.get("message")
    parts = [error, document.get("title"), document.get("detail")]
    text = ": ".join(part for part in parts if isinstance(part, str) and part)
    line = "".join(char if char.isprintable() else " " for char in text) or "no text given"
    return line if len(line) <= _EXCERPT_CHARS else line[:_EXCERPT_CHARS] + "…"
