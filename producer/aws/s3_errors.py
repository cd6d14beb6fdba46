"""What the SDK's errors mean when they come from S3."""

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    HTTPClientError,
)
from botocore.exceptions import (
    ConnectionError as SdkConnectionError,
)

from producer.errors import LakeClosed, LakeError, LakeRefused, LakeUnavailable

# https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
_CLOSED = frozenset(
    {
        "AccessDenied",
        "AccountProblem",
        "AllAccessDisabled",
        "AuthorizationHeaderMalformed",
        "ExpiredToken",
        "InvalidAccessKeyId",
        "InvalidBucketName",
        "InvalidToken",
        "NoSuchBucket",
        "NotSignedUp",
        "PermanentRedirect",
        "RequestTimeTooSkewed",
        "SignatureDoesNotMatch",
    }
)
_THROTTLED = frozenset(
    {"RequestTimeout", "SlowDown", "Throttling", "ThrottlingException", "TooManyRequests"}
)
# A conditional write that came second: to a finished one, or to one under way.
_OUTDATED = frozenset({"PreconditionFailed", "ConditionalRequestConflict", "412"})


def is_missing(error: ClientError) -> bool:
    """Say whether S3 has no object under the key; HEAD answers have a status and no code."""
    return _code(error) in ("404", "NoSuchKey")


def is_outdated(error: ClientError) -> bool:
    """Say whether a conditional write was refused because somebody else had written."""
    return _code(error) in _OUTDATED


def map_error(error: ClientError | BotoCoreError, bucket: str) -> LakeError:
    """Say what an SDK error means for the run; the caller raises it `from` the original."""
    if isinstance(error, ClientError):
        return _map_answer(error, bucket)
    if isinstance(error, (HTTPClientError, SdkConnectionError)):
        return LakeUnavailable(f"S3 cannot be reached, check AWS_ENDPOINT_URL: {error}")
    return LakeClosed(
        f"S3 cannot be used, check AWS_REGION, the AWS credentials and AWS_PROFILE: {error}"
    )


def _map_answer(error: ClientError, bucket: str) -> LakeError:
    code = _code(error)
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if code == "NoSuchBucket":
        return LakeClosed(f"there is no bucket {bucket}; create it or correct BUCKET_NAME")
    if code in _CLOSED or status in (401, 403):
        return LakeClosed(
            f"S3 answers {code or status} for bucket {bucket}; check BUCKET_NAME, the AWS "
            "credentials and the permissions that docs/operations.md lists"
        )
    if code in _THROTTLED or status == 429 or status >= 500:
        return LakeUnavailable(
            f"S3 answers {code or status} after every attempt; run the command again later"
        )
    return LakeRefused(f"S3 refuses the object: {code or status}; correct its name or its size")


def _code(error: ClientError) -> str:
    return error.response.get("Error", {}).get("Code", "")
