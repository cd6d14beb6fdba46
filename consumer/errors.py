"""The consumer's errors, and what foreign errors mean to it.

    ConsumerError
    ├── Permanent                 the same object, unchanged, will fail again: dead-letter
    └── Transient                 not the message's fault: retry with backoff
        ├── StorageUnavailable    S3 or SQS down or not reachable
        ├── DatabaseUnavailable   PostgreSQL down, restarting, out of connections
        ├── Throttled             S3 SlowDown, SQS throttling
        ├── AccessDenied          credentials or policy; an operator must act
        │   └── ObjectDenied      S3 refuses one object; others may be readable
        ├── LocalDisk             our temporary directory cannot take what must pass through it
        ├── Misconfigured         region, name or encryption key; an operator must act
        │   └── ObjectMisconfigured   the key of one object
        └── Internal              a bug; reaches the DLQ through the queue's redrive policy
    SchemaMismatch                start-up only: the tables are of another release
    LeaseLost                     the message may be another consumer's by now
    FailureBurst                  too much failed: dead-lettering stops until somebody looks

Errors carry a code and identifiers. Messages may quote a value, cut short: they go to error logs,
ledger and dead-letter queue, and stay out of the process's own log.
"""

import traceback
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from runtime.errors import ReportedError
from schemas.codes import ErrorCode


@dataclass(frozen=True, slots=True)
class RecordError:
    """One thing wrong with a record.

    `location` is the dotted path inside the record; `value` is the offending value, cut short.
    """

    location: str
    message: str
    value: str


class ConsumerError(ReportedError):
    """Base of all; `code` is one of the closed set."""

    def __init__(self, code: ErrorCode, message: str) -> None:
        super().__init__(message)
        self.code = code


class Permanent(ConsumerError):
    """Trying again cannot help; `errors` lists what is wrong where it is known.

    `findings` is the drift that a refused document shows, or None if it was not read so far.
    """

    def __init__(
        self,
        code: ErrorCode,
        message: str,
        errors: tuple[RecordError, ...] = (),
        findings: tuple[Any, ...] | None = None,
    ) -> None:
        super().__init__(code, message)
        self.errors = errors
        self.findings = findings


class Transient(ConsumerError):
    """Trying again later can help.

    `is_about_object`: others may be loaded meanwhile. `opens_breaker`: nothing is received until a
    probe of everything that the consumer stands on succeeds.
    """

    is_about_object: ClassVar[bool] = False
    opens_breaker: ClassVar[bool] = True
    _code: ClassVar[ErrorCode]

    def __init__(self, message: str) -> None:
        super().__init__(self._code, message)


class StorageUnavailable(Transient):
    """S3 or SQS did not answer."""

    _code: ClassVar[ErrorCode] = ErrorCode.STORAGE_UNAVAILABLE


class DatabaseUnavailable(Transient):
    """PostgreSQL did not answer or could not work."""

    _code: ClassVar[ErrorCode] = ErrorCode.DATABASE_UNAVAILABLE


class Throttled(Transient):
    """AWS asked us to slow down."""

    _code: ClassVar[ErrorCode] = ErrorCode.THROTTLED


class AccessDenied(Transient):
    """Credentials or a policy refuse us."""

    _code: ClassVar[ErrorCode] = ErrorCode.ACCESS_DENIED


class ObjectDenied(AccessDenied):
    """S3 refuses to give one object away."""

    is_about_object = True
    opens_breaker = False


class LocalDisk(Transient):
    """Temporary files cannot be written; small documents need none."""

    is_about_object = True
    _code: ClassVar[ErrorCode] = ErrorCode.LOCAL_DISK


class Misconfigured(Transient):
    """Region, name or encryption key cannot work until somebody corrects them."""

    _code: ClassVar[ErrorCode] = ErrorCode.MISCONFIGURED


class ObjectMisconfigured(Misconfigured):
    """The encryption key of one object cannot be used."""

    is_about_object = True
    opens_breaker = False


class Internal(Transient):
    """Something that should not happen."""

    _code: ClassVar[ErrorCode] = ErrorCode.INTERNAL

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
    """Return an exception's type and the places it came through, without what it says.

    Its message may quote a document, which the process's log must not.
    """
    steps = reversed(traceback.extract_tb(error.__traceback__))
    places = (f"{step.filename}:{step.lineno} {step.name}" for step in steps)
    return " < ".join([type(error).__name__, *places])
