"""What the ERP answered, and whether it is a document that may be stored.

The check is a gate against error pages and error bodies, nothing more: what stands inside a
document is the consumer's business, so unknown, renamed and odd fields all pass.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from producer.errors import AnswerRejectedError, NotJsonError
from producer.json_text import parse_json

_PROBLEM_FIELDS = frozenset({"type", "title", "status", "detail"})
_EXCERPT_CHARS = 200


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer with status 200, as it came.

    Attributes:
        body: The bytes after any transfer and content decoding, untouched.
        content_type: The media type the ERP claims, for messages only.
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
    """Let a document pass; a list that is empty, null or absent is an empty day and passes.

    Raises:
        AnswerRejectedError: The body is no JSON, no object, an empty object, or an error body.
    """
    try:
        document = parse_json(answer.body)
    except NotJsonError as exc:
        said = answer.content_type or "no content type"
        raise AnswerRejectedError(
            f"the ERP answered 200 with something other than JSON ({said}, "
            f"{len(answer.body)} bytes: {exc})"
        ) from exc
    if not isinstance(document, dict):
        kind = "a list" if isinstance(document, list) else "a single value"
        raise AnswerRejectedError(f"the ERP answered 200 with {kind} where an object is expected")
    if not document:
        raise AnswerRejectedError("the ERP answered 200 with an empty object: no store, no day")
    if is_error_body(document):
        raise AnswerRejectedError(f"the ERP answered 200 with an error: {error_text(document)}")


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
    """Say in one short printable line what an error body says."""
    error = document.get("error")
    if isinstance(error, Mapping):
        document, error = error, error.get("message")
    parts = [error, document.get("title"), document.get("detail")]
    text = ": ".join(part for part in parts if isinstance(part, str) and part)
    line = "".join(char if char.isprintable() else " " for char in text) or "no text given"
    return line if len(line) <= _EXCERPT_CHARS else line[:_EXCERPT_CHARS] + "…"
