"""What the SDK's errors mean when they come from S3."""

from collections.abc import Mapping

from botocore.exceptions import ClientError

from producer.errors import LakeClosed, LakeError, LakeRefused, LakeUnavailable
from runtime.aws_errors import Verdict, classify, error_code

_ERRORS: Mapping[Verdict, type[LakeError]] = {
    Verdict.MISSING: LakeRefused,
    Verdict.ARCHIVED: LakeRefused,
    Verdict.DENIED: LakeClosed,
    Verdict.THROTTLED: LakeUnavailable,
    Verdict.MISCONFIGURED: LakeClosed,
    Verdict.UNAVAILABLE: LakeUnavailable,
    Verdict.UNKNOWN: LakeRefused,
}
# A conditional write that came second: to a finished one, or to one under way.
_OUTDATED = frozenset({"PreconditionFailed", "ConditionalRequestConflict", "412"})


def is_missing(error: ClientError) -> bool:
    """Say whether S3 has no object under the key; HEAD answers have a status and no code."""
    return error_code(error) in ("404", "NoSuchKey")


def is_outdated(error: ClientError) -> bool:
    """Say whether a conditional write was refused because somebody else had written."""
    return error_code(error) in _OUTDATED


def map_error(error: Exception, bucket: str) -> LakeError:
    """Say what an SDK error means for the run; the caller raises it `from` the original."""
    fault = classify(error)
    if fault.code == "NoSuchBucket":
        return LakeClosed(f"there is no bucket {bucket}; create it or correct BUCKET_NAME")
    return _ERRORS[fault.verdict](f"S3, bucket {bucket}: {fault}")
