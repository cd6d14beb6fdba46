"""The consumer's errors, and what foreign errors mean to it.

    ConsumerError
    ├── Permanent                 the same object, unchanged, will fail again: dead-letter
    └── Transient                 not the message's fault: retry with backoff
        ├── StorageUnavailable    S3 or SQS down or not reachable
        ├── DatabaseUnavailable   PostgreSQL down, restarting, out of connections
        ├── Throttled             S3 SlowDown, SQS throttling
        ├── AccessDenied          credentials or policy; an operator must act
        ├── LocalDisk             our temporary directory cannot take what must pass through it
        ├── Misconfigured         region, name or encryption key; an operator must act
        └── Internal              a bug; reaches the DLQ through the queue's redrive policy

Errors carry a code and identifiers. Messages may quote a value, cut short: they go to error logs,
ledger and dead-letter queue, and stay out of the process's own log.
"""

import traceback
from dataclasses import dataclass
from typing import Any, Self

from runtime.errors import ReportedError
from schemas.codes import ErrorCode


@dataclass(frozen=True, slots=True)
class RecordError:
    """One thing wrong with a record: the dotted path inside it, and the value, cut short."""

    location: str
    message: str
    value: str


class ConsumerError(ReportedError):
    """Base of all; `code` is one of the closed set."""

    code: ErrorCode


class Permanent(ConsumerError):
    """Trying again cannot help; `findings` is the drift of a refused document, if it was read."""

    def __init__(
        self,
        code: ErrorCode,
        message: str,
        errors: tuple[RecordError, ...] = (),
        findings: tuple[Any, ...] | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.errors = errors
        self.findings = findings


class Transient(ConsumerError):
    """Trying again later can help; if it is about one object, others may be loaded meanwhile."""

    def __init__(self, message: str, *, is_about_object: bool = False) -> None:
        super().__init__(message)
        self.is_about_object = is_about_object


class StorageUnavailable(Transient):
    """S3 or SQS did not answer."""

    code = ErrorCode.STORAGE_UNAVAILABLE


class DatabaseUnavailable(Transient):
    """PostgreSQL did not answer or could not work."""

    code = ErrorCode.DATABASE_UNAVAILABLE


class Throttled(Transient):
    """AWS asked us to slow down."""

    code = ErrorCode.THROTTLED


class AccessDenied(Transient):
    """Credentials or a policy refuse us."""

    code = ErrorCode.ACCESS_DENIED


class LocalDisk(Transient):
    """Temporary files cannot be written; small documents need none."""

    code = ErrorCode.LOCAL_DISK


class Misconfigured(Transient):
    """Region, name or encryption key cannot work until somebody corrects them."""

    code = ErrorCode.MISCONFIGURED


class Internal(Transient):
    """Something that should not happen."""

    code = ErrorCode.INTERNAL

    @classmethod
    def of(cls, bug: BaseException) -> Self:
        """Return the error for an exception that nobody expected."""
        internal = cls(f"{type(bug).__name__}: {bug}")
        internal.__cause__ = bug
        return internal


class SchemaMismatch(ReportedError):
    """The database's schema is older or newer than this release works with."""


class LeaseLost(Exception):
    """The receipt handle has expired: another consumer may hold the message now."""


class FailureBurst(ReportedError):
    """So much failed for good that dead-lettering has stopped; the message says what to do."""


def where(error: BaseException) -> str:
    """Return an exception's type and places; its message may quote a document, as no log must."""
    steps = reversed(traceback.extract_tb(error.__traceback__))
    places = (f"{step.filename}:{step.lineno} {step.name}" for step in steps)
    return " < ".join([type(error).__name__, *places])
