"""What the SDK's errors mean when they come from S3."""

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    HTTPClientError,
)
from botocore.exceptions import (
    ConnectionError as SdkConnectionError,
)

from producer.errors import LakeClosedError, LakeError, LakeRefusedError, LakeUnavailableError

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


def is_missing(exc: ClientError) -> bool:
    """Say whether S3 has no object under the key; HEAD answers have a status and no code."""
    return _code(exc) in ("404", "NoSuchKey")


def is_outdated(exc: ClientError) -> bool:
    """Say whether a conditional write was refused because somebody else had written."""
    return _code(exc) in _OUTDATED


def map_error(exc: ClientError | BotoCoreError, bucket: str) -> LakeError:
    """Say what an SDK error means for the run; the caller raises it `from` the original."""
    if isinstance(exc, ClientError):
        return _map_answer(exc, bucket)
    if isinstance(exc, (HTTPClientError, SdkConnectionError)):
        return LakeUnavailableError(f"S3 cannot be reached, check AWS_ENDPOINT_URL: {exc}")
    return LakeClosedError(
        f"S3 cannot be used, check AWS_REGION, the AWS credentials and AWS_PROFILE: {exc}"
    )


def _map_answer(exc: ClientError, bucket: str) -> LakeError:
    code = _code(exc)
    status = exc.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if code == "NoSuchBucket":
        return LakeClosedError(f"there is no bucket {bucket}; create it or correct BUCKET_NAME")
    if code in _CLOSED or status in (401, 403):
        return LakeClosedError(
            f"S3 answers {code or status} for bucket {bucket}; check BUCKET_NAME, the AWS "
            "credentials and the permissions that docs/operations.md lists"
        )
    if code in _THROTTLED or status == 429 or status >= 500:
        return LakeUnavailableError(
            f"S3 answers {code or status} after every attempt; run the command again later"
        )
    return LakeRefusedError(
        f"S3 refuses the object: {code or status}; correct its name or its size"
    )


def _code(exc: ClientError) -> str:
    return exc.response.get("Error", {}).get("Code", "")
