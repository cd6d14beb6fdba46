"""The closed sets of words used in ledger, logs, metrics, DLQ attributes and filters."""

from enum import StrEnum


class State(StrEnum):
    """The end state of an object."""

    LOADED = "loaded"
    SUPERSEDED = "superseded"
    IGNORED = "ignored"
    DEAD_LETTERED = "dead_lettered"


class ErrorCode(StrEnum):
    """Why an object was not loaded. What to do about each is decided by the consumer."""

    EVENT_MALFORMED = "event_malformed"
    UNKNOWN_SOURCE = "unknown_source"
    OBJECT_MISSING = "object_missing"
    OBJECT_ARCHIVED = "object_archived"
    OBJECT_TOO_LARGE = "object_too_large"
    JSON_MALFORMED = "json_malformed"
    ENCODING_INVALID = "encoding_invalid"
    SCHEMA_INVALID = "schema_invalid"
    RECORDS_INVALID = "records_invalid"
    IDENTITY_MISMATCH = "identity_mismatch"
    AMBIGUOUS_FIELD = "ambiguous_field"
    DATA_REJECTED = "data_rejected"
    STORAGE_UNAVAILABLE = "storage_unavailable"
    DATABASE_UNAVAILABLE = "database_unavailable"
    THROTTLED = "throttled"
    ACCESS_DENIED = "access_denied"
    LOCAL_DISK = "local_disk"
    MISCONFIGURED = "misconfigured"
    INTERNAL = "internal"
