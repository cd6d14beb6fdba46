"""An ERP answer, and whether it may be stored.

The check keeps out error pages and error bodies, nothing more: what a document contains is the
consumer's business, so unknown, renamed and odd fields all pass.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from producer.errors import AnswerRejected, NotJson
from producer.json_text import parse_json

_PROBLEM_FIELDS = frozenset({"type", "title", "status", "detail"})
_EXCERPT_CHARS = 200


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer with status 200, as it came.

    Attributes:
        body: The bytes after any transfer and content decoding, untouched.
        content_type: The media type from the answer's header, for messages only.
        status: The HTTP status.
        pulled_at: When the last byte had arrived, in UTC.
        duration_seconds: From sending the request that succeeded to its last byte.
    """

    body: bytes
    content_type: str
    status: int
    pulled_at: datetime
    duration_seconds: float


def check_answer(answer: Answer) -> None:
    """Accept a document. A list that is empty, null or absent is an empty day, and accepted.

    Raises:
        AnswerRejected: The body is no JSON, no object, an empty object, or an error body.
    """
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
