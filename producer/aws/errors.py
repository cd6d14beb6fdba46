"""What errors of AWS mean for a run: which of the producer's errors a verdict is."""

from producer import errors
from runtime.aws_errors import Verdict, classify

_LAKE = (errors.LakeUnavailable, errors.LakeClosed, errors.LakeRefused)
_QUEUE = (errors.QueueUnavailable, errors.QueueClosed, errors.QueueRefused)
# Of the three, which a verdict is; the last for any other.
_PLACES = {
    Verdict.THROTTLED: 0,
    Verdict.UNAVAILABLE: 0,
    Verdict.DENIED: 1,
    Verdict.MISCONFIGURED: 1,
}


def lake_error(error: Exception, bucket: str) -> errors.LakeError:
    """Return the error for one of a call to S3; the caller raises it `from` the original."""
    fault = classify(error)
    if fault.code == "NoSuchBucket":
        return errors.LakeClosed(f"there is no bucket {bucket}; create it or correct BUCKET_NAME")
    return _LAKE[_PLACES.get(fault.verdict, 2)](f"S3, bucket {bucket}: {fault}")


def queue_error(error: Exception) -> errors.QueueError:
    """Return the error for one of a call to SQS; the caller raises it `from` the original."""
    fault = classify(error)
    return _QUEUE[_PLACES.get(fault.verdict, 2)](f"SQS: {fault}")
