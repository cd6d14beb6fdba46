"""The consumer's errors, and what foreign errors mean to it.

    ConsumerError
    ├── Permanent                 the same object, unchanged, will fail again: dead-letter
    └── Transient                 not the message's fault: retry with backoff
        ├── StorageUnavailable    S3 or SQS down or not reachable
        ├── DatabaseUnavailable   PostgreSQL down, restarting, out of connections
        ├── Throttled             S3 SlowDown, SQS throttling
        ├── AccessDenied          credentials or policy; an operator must act
        └── Internal              a bug; reaches the DLQ through the queue's redrive policy
    SchemaMismatch                start-up only: the tables are of another release
    SettingsInvalid               start-up only

Errors carry a code and identifiers, never payloads.
"""

from typing import ClassVar

from schemas.codes import ErrorCode
from schemas.quarantine import RecordError


class ConsumerError(Exception):
    """Base of all; `code` is one of the closed set."""

    def __init__(self, code: ErrorCode, message: str) -> None:
        super().__init__(message)
        self.code = code


class Permanent(ConsumerError):
    """Trying again cannot help; `errors` lists what is wrong where it is known."""

    def __init__(self, code: ErrorCode, message: str, errors: tuple[RecordError, ...] = ()) -> None:
        super().__init__(code, message)
        self.errors = errors


class Transient(ConsumerError):
    """Trying again later can help."""

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


class Internal(Transient):
    """Something that should not happen."""

    _code: ClassVar[ErrorCode] = ErrorCode.INTERNAL


class SchemaMismatch(Exception):
    """The database's schema is older or newer than this release works with."""


class SettingsInvalid(Exception):
    """The settings cannot work; the message names the variable and the remedy."""


class LeaseLost(Exception):
    """The receipt handle has expired: another consumer may hold the message now."""
