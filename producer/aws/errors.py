"""What errors of AWS mean for a run: which of the producer's errors a verdict is."""

from botocore.exceptions import ClientError

from producer.errors import (
    LakeClosed,
    LakeError,
    LakeRefused,
    LakeUnavailable,
    QueueClosed,
    QueueError,
    QueueRefused,
    QueueUnavailable,
)
from runtime.aws_errors import Verdict, classify, error_code

_PASSING = frozenset({Verdict.THROTTLED, Verdict.UNAVAILABLE})
_CLOSED = frozenset({Verdict.DENIED, Verdict.MISCONFIGURED})
# A conditional write that came second: to a finished one, or to one under way.
_OUTDATED = frozenset({"PreconditionFailed", "ConditionalRequestConflict", "412"})


def is_missing(error: ClientError) -> bool:
    """Return whether S3 has no object under the key; HEAD answers have a status and no code."""
    return error_code(error) in ("404", "NoSuchKey")


def is_outdated(error: ClientError) -> bool:
    """Return whether a conditional write was refused because somebody else had written."""
    return error_code(error) in _OUTDATED


def lake_error(error: Exception, bucket: str) -> LakeError:
    """Return the error for one of a call to S3; the caller raises it `from` the original."""
    fault = classify(error)
    if fault.code == "NoSuchBucket":
        return LakeClosed(f"there is no bucket {bucket}; create it or correct BUCKET_NAME")
    kinds = (LakeUnavailable, LakeClosed, LakeRefused)
    return kinds[_place(fault.verdict)](f"S3, bucket {bucket}: {fault}")


def queue_error(error: Exception) -> QueueError:
    """Return the error for one of a call to SQS; the caller raises it `from` the original."""
    fault = classify(error)
    kinds = (QueueUnavailable, QueueClosed, QueueRefused)
    return kinds[_place(fault.verdict)](f"SQS: {fault}")


def _place(verdict: Verdict) -> int:
    return 0 if verdict in _PASSING else 1 if verdict in _CLOSED else 2
