"""An ERP answer, and whether it may be stored.

The checks keep out errors, other days and parts of days; all else is the consumer's business.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter, ValidationError

from producer.errors import AnswerRejected
from producer.json_text import CHECK_DAYS, NotJson, parse_json
from producer.pulling.targets import PullTarget
from schemas.fields import BusinessDate
from schemas.paging import More, find_more, find_total, is_paging_field

_PROBLEM_FIELDS = frozenset({"type", "title", "status", "detail"})
_DAYS_SHOWN_COUNT = 3
_EXCERPT_CHARS = 200
_BUSINESS_DATE: TypeAdapter[Any] = TypeAdapter(BusinessDate)


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer with status 200, as it came; the pages of a paged answer are joined."""

    body: bytes  # after any transfer and content decoding, untouched
    content_type: str  # the media type from the answer's header, for messages only
    pulled_at: datetime  # when the last byte had arrived, in UTC
    duration_seconds: float  # from sending the request that succeeded to its last byte
    next_link: str | None = None  # of the next part, by the header `Link` (RFC 8288)
    doubt: str | None = None  # why it may be of another day


@dataclass(frozen=True, slots=True)
class Reading:
    """What the producer reads in an answer, or in a page of one."""

    more: More | None  # what says that the answer is only a part
    # How many checks are of which day: the one asked for, if they were opened or closed on it,
    # else that on which they were opened
    days: Counter[str]
    record_count: int
    total: int | None  # how many records the whole answer has, if it says so


def read_answer(answer: Answer, target: PullTarget) -> Reading:
    """Accept a document of the target, or a page of one, or raise AnswerRejected. CPU-bound."""
    try:
        document = parse_json(answer.body)
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
    records = [
        record
        for name, value in document.items()
        if isinstance(value, list) and not is_paging_field(name)
        for record in value
    ]
    days = _days_of(records, target.bus_dt.isoformat())
    return Reading(find_more(document) or linked, days, len(records), find_total(document))


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


def _days_of(records: Sequence[Any], asked: str) -> Counter[str]:
    days: Counter[str] = Counter()
    for record in records:
        if isinstance(record, dict):
            texts = [record[name] for name in CHECK_DAYS if isinstance(record.get(name), str)]
            found = [text[: len(asked)] for text in texts]
            if found:
                days[asked if asked in found else found[0]] += 1
    return days


def check_whole(readings: Sequence[Reading]) -> None:
    """Raise AnswerRejected if the pages hold fewer records than they say there are."""
    count = sum(reading.record_count for reading in readings)
    total = max((reading.total or 0 for reading in readings), default=0)
    if total > count:
        raise AnswerRejected(
            f"the ERP answered with {count} of {total} records and does not say where the rest "
            "is; have paging switched off for this endpoint",
            ask_again=len(readings) > 1,  # records may have come between two pages
        )


def doubt_about(readings: Sequence[Reading], target: PullTarget) -> str | None:
    """Return why an answer may be of another day; guest checks have no day at their root.

    A check may be opened the evening before, or closed after midnight, so the majority decides.
    """
    days = sum((reading.days for reading in readings), Counter[str]())
    checks_count, ours_count = days.total(), days.pop(target.bus_dt.isoformat(), 0)
    if 2 * ours_count >= checks_count:
        return None
    shown = ", ".join(sorted(days)[:_DAYS_SHOWN_COUNT])
    return (
        f"{ours_count} of {checks_count} checks were opened or closed on {target.bus_dt}, the "
        f"others on {shown}{' …' if len(days) > _DAYS_SHOWN_COUNT else ''}"
    )


def is_error_body(document: Mapping[str, Any]) -> bool:
    """Recognise `{"error": …}`, and a problem body by two of its fields (RFC 9457).

    Whatever holds a list or names a store, as every document of ours does, is none.
    """
    if document.get("error"):
        return True
    has_list = any(isinstance(value, list) for value in document.values())
    if has_list or "storeId" in document or "locRef" in document:
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
