"""Causes: why objects fail, so that what has one remedy is one thing, whatever the day or store.

A cause is a source, an error code, a place in the document without indexes, and what is wrong there
without values. It is worked out when an object fails; its id is the same in every process.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from consumer.documents.quarantine import Quarantined
from consumer.errors import ConsumerError, Permanent, RecordError
from schemas.codes import ErrorCode

_ID_CHARACTERS = 12
_TEXT_CHARACTERS = 200
_LOOKED_AT = 200  # quarantined records of a document
# Of these the message names the object or the server, and the code says what is wrong.
_SAID_BY_CODE = frozenset(
    {
        ErrorCode.OBJECT_MISSING,
        ErrorCode.OBJECT_ARCHIVED,
        ErrorCode.STORAGE_UNAVAILABLE,
        ErrorCode.DATABASE_UNAVAILABLE,
        ErrorCode.THROTTLED,
        ErrorCode.ACCESS_DENIED,
        ErrorCode.LOCAL_DISK,
        ErrorCode.MISCONFIGURED,
    }
)
_INDEX = re.compile(r"\[\d+\]")
_QUOTED = re.compile(r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*\"""")
_NUMBER = re.compile(r"0x[0-9a-fA-F]+|\d+")
_LONG_NUMBER = re.compile(r"\d{3,}")
# PostgreSQL takes no NUL, and UTF-8 has no lone surrogates.
_NOT_STORABLE = re.compile("[\0\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Cause:
    """Why something failed; `location` and `problem` may be empty."""

    source: str
    code: ErrorCode
    location: str
    problem: str

    @property
    def id(self) -> str:
        """Twelve hexadecimal digits; migration 0019 works them out in the same way."""
        text = f"{self.source}\n{self.code}\n{self.location}\n{self.problem}"
        return sha256(text.encode()).hexdigest()[:_ID_CHARACTERS]


def cause_of(error: ConsumerError, source: str | None) -> Cause:
    """Return the cause of an object's or a message's failure; None for an unknown source."""
    found = error.errors if isinstance(error, Permanent) else ()
    location, problem = _place(found[0]) if found else ("", _kind(error))
    return _cause(source, error.code, location, problem)


def cause_of_records(quarantined: Sequence[Quarantined], source: str) -> Cause:
    """Return the cause for which most records of a document were set aside, the first of equals."""
    places = Counter(
        (_without_indexes(f"{record.path}.{problem.location}"), _told(problem.message))
        for record in quarantined[:_LOOKED_AT]
        for problem in record.errors[:1]
    )
    [((location, problem), _)] = places.most_common(1)
    return _cause(source, ErrorCode.RECORDS_INVALID, location, problem)


def _cause(source: str | None, code: ErrorCode, location: str, problem: str) -> Cause:
    location, problem = (
        _NOT_STORABLE.sub("?", text.replace("\n", " ")[:_TEXT_CHARACTERS])
        for text in (location, problem)
    )
    return Cause(source or "unknown", code, location, problem)


def _place(found: RecordError) -> tuple[str, str]:
    return _without_indexes(found.location), _told(found.message)


def _without_indexes(path: str) -> str:
    return _INDEX.sub("", path).strip(".")


def _told(rule: str) -> str:
    """Return a rule that a record breaks; names and small numbers in it are the contract's."""
    return _LONG_NUMBER.sub("N", rule)


def _kind(error: ConsumerError) -> str:
    """Return what an error's message says before its remedy, without values."""
    if error.code in _SAID_BY_CODE:
        return ""
    if error.code is ErrorCode.INTERNAL:
        return str(error).partition(":")[0]
    # First: a value may hold a semicolon.
    said = _QUOTED.sub("…", str(error)).partition(";")[0]
    return _NUMBER.sub("N", said)
