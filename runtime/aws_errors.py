"""What an error of the AWS SDK means; each program maps verdicts to errors of its own.

Codes are those of the Amazon S3 API reference, "Error responses", the Amazon SQS API reference,
"Errors" and "Common errors", and the AWS KMS API reference, whose exceptions S3 passes on with the
prefix `KMS.` and mostly with status 400.
"""

import errno
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import aiohttp
from botocore import exceptions as sdk
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

SQS_PREFIX = "AWS.SimpleQueueService."  # of some of its error codes
# What a call to AWS can raise; `classify` understands each.
AWS_ERRORS = (ClientError, BotoCoreError, ResponseParserError, aiohttp.ClientError, OSError)


class Verdict(StrEnum):
    """What an error means for whoever made the call."""

    MISSING = "missing"  # there is no such object, or no such version
    ARCHIVED = "archived"  # the object must be restored before it can be read
    DENIED = "denied"  # credentials, or a policy, refuse us
    THROTTLED = "throttled"  # slow down
    MISCONFIGURED = "misconfigured"  # region, names or keys: works once somebody has corrected them
    UNAVAILABLE = "unavailable"  # no answer, or none that can be trusted: try again
    UNKNOWN = "unknown"  # a request that should not have been made: a bug


@dataclass(frozen=True, slots=True)
class AwsFault:
    """An error of the SDK, understood."""

    verdict: Verdict
    code: str  # AWS's, or the name of the SDK's error
    message: str
    remedy: str = ""  # empty where nobody but AWS can help

    def __str__(self) -> str:
        told = f"{self.code}: {self.message}"
        return f"{told}; {self.remedy}" if self.remedy else told


_Meaning = tuple[Verdict, str]

_SET_REGION = "set AWS_REGION to the region of the bucket"
_MEND_KEY = "enable the KMS key, cancel its deletion, or have the data encrypted with another key"
_MEND_CREDENTIALS = "correct or renew the AWS credentials"
_CHECK_ACCESS = "check the credentials, the policy and the names"
_GIVE_CREDENTIALS = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give the task a role"
_CHECK_NETWORK = "check AWS_ENDPOINT_URL and the network"
_TRUST = "set AWS_CA_BUNDLE to the CA that signed the certificate, or correct AWS_ENDPOINT_URL"
_READ_FILE = "let this process read the file, or correct the AWS_… variable that names it"
_NO_CUSTOMER_KEY = (
    "the object is encrypted with a customer's key (SSE-C), which the SDK is not given; write it "
    "again without"
)

_FAMILIES: tuple[tuple[Verdict, str, tuple[str, ...]], ...] = (
    (Verdict.MISSING, "", (
        "NoSuchKey", "NoSuchVersion", "KeyTooLongError",
        "MethodNotAllowed",  # a delete marker, read by its version
        "InvalidArgument",  # no version id at all
    )),
    (Verdict.ARCHIVED, "", ("InvalidObjectState", "ObjectNotInActiveTierError")),
    (Verdict.DENIED, _MEND_CREDENTIALS, (
        "ExpiredToken", "ExpiredTokenException", "IncompleteSignature", "InvalidAccessKeyId",
        "InvalidClientTokenId", "InvalidSecurity", "InvalidSignatureException", "InvalidToken",
        "MissingAuthenticationToken", "NotAuthorized", "SignatureDoesNotMatch",
        "TokenRefreshRequired", "UnrecognizedClientException",
    )),
    (Verdict.DENIED, "set this machine's clock", ("RequestExpired", "RequestTimeTooSkewed")),
    (Verdict.DENIED, _CHECK_ACCESS, (
        "403", "AccessDenied", "AccessDeniedException", "KmsAccessDenied",
        # A bare 404 comes from an endpoint that is no S3, too: no object is to blame for that.
        "404", "InvalidAddress", "NoSuchBucket", "NonExistentQueue", "QueueDoesNotExist",
    )),
    (Verdict.THROTTLED, "", (
        "KmsThrottled", "LimitExceededException", "OverLimit", "RequestLimitExceeded",
        "RequestThrottled", "SlowDown", "Throttling", "ThrottlingException", "TooManyRequests",
        "TooManyRequestsException",
    )),
    (Verdict.UNAVAILABLE, "", (
        "BadDigest", "ConditionalRequestConflict", "IncompleteBody", "InternalError",
        "InternalFailure", "OperationAborted", "Redirect", "RequestAbortedException",
        "RequestTimeout", "ServiceUnavailable", "TemporaryRedirect", "XAmzContentSHA256Mismatch",
        "DependencyTimeoutException", "KMSInternalException", "KeyUnavailableException",
    )),
    (Verdict.MISCONFIGURED, _SET_REGION, (
        "301", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException",
        "InvalidLocationConstraint", "InvalidRegion", "PermanentRedirect",
    )),
    (Verdict.MISCONFIGURED, "correct the bucket's name or AWS_ENDPOINT_URL", (
        "CredentialsNotSupported", "EndpointNotFound", "IncorrectEndpoint", "InvalidAccessPoint",
        "InvalidAccessPointAliasError", "InvalidAddressingHeader", "InvalidBucketName",
        "InvalidHostHeader", "NotImplemented",
    )),
    (Verdict.MISCONFIGURED, _MEND_KEY, (
        "KmsDisabled", "KmsInvalidKeyUsage", "KmsInvalidState", "KmsNotFound", "KmsOptInRequired",
    )),
    # An answer to HEAD has no body, and so no code.
    (Verdict.MISCONFIGURED, f"{_SET_REGION}, {_MEND_CREDENTIALS}, or {_MEND_KEY}", ("400",)),
)  # fmt: skip
_CODES: Mapping[str, _Meaning] = {
    code: (verdict, remedy) for verdict, remedy, codes in _FAMILIES for code in codes
}
# The first that fits.
_RAISED: tuple[tuple[Verdict, str, tuple[type[Exception], ...]], ...] = (
    (Verdict.THROTTLED, "", (sdk.CapacityNotAvailableError,)),
    (Verdict.DENIED, _GIVE_CREDENTIALS, (
        sdk.NoCredentialsError, sdk.PartialCredentialsError, sdk.CredentialRetrievalError,
        sdk.MetadataRetrievalError, sdk.NoAuthTokenError, sdk.TokenRetrievalError, sdk.SSOError,
        sdk.LoginError, sdk.RefreshWithMFAUnsupportedError,
    )),
    (Verdict.UNAVAILABLE, _CHECK_NETWORK, (
        sdk.HTTPClientError, sdk.ConnectionError, aiohttp.ClientError, OSError,
        # An answer that was cut off, damaged, or given by something else than AWS
        sdk.IncompleteReadError, sdk.ChecksumError, sdk.FlexibleChecksumError, ResponseParserError,
    )),
    (Verdict.MISCONFIGURED, "correct AWS_REGION or the bucket's name", (
        sdk.InvalidRegionError, sdk.InvalidDNSNameError,
    )),
    # Calls with arguments that botocore does not take
    (Verdict.UNKNOWN, "", (
        sdk.ParamValidationError, sdk.ValidationError, sdk.MissingParametersError,
        sdk.UnknownParameterError, sdk.UnknownClientMethodError, sdk.AliasConflictParameterError,
        sdk.UnseekableStreamError, sdk.AwsChunkedWrapperError, sdk.OperationNotPageableError,
        sdk.PaginationError, sdk.WaiterError, sdk.WaiterConfigError, sdk.InvalidExpressionError,
        sdk.StubResponseError,
    )),
    # Raised when a client is made from variables, profiles and their files
    (Verdict.MISCONFIGURED, "check AWS_REGION, AWS_PROFILE and the AWS credentials", (
        BotoCoreError, ValueError,
    )),
)  # fmt: skip


def error_code(error: BaseException) -> str:
    """Return the error code of an AWS answer without SQS's prefix, or an empty text."""
    if isinstance(error, ClientError):
        code = str(error.response.get("Error", {}).get("Code", ""))
        return code.removeprefix(SQS_PREFIX)
    return ""


def classify(error: Exception) -> AwsFault:
    """Return what an error of a call to AWS, or of making a client, means."""
    if isinstance(error, ClientError):
        return _answered(error)
    verdict, remedy = _unanswered(error)
    return AwsFault(verdict, type(error).__name__, str(error), remedy)


def _unanswered(error: Exception) -> _Meaning:
    if isinstance(error, OSError) and (error.filename or error.errno == errno.ENOENT):
        # A file that a variable of the SDK's names: a web identity token, certificates.
        return Verdict.MISCONFIGURED, _READ_FILE
    if isinstance(error, sdk.ParamValidationError) and "bucket name" in str(error):
        return _CODES["InvalidBucketName"]
    if isinstance(error, sdk.SSLError) and "CERTIFICATE_VERIFY_FAILED" in str(error):
        return Verdict.MISCONFIGURED, _TRUST
    for verdict, remedy, kinds in _RAISED:
        if isinstance(error, kinds):
            return verdict, remedy
    return Verdict.UNKNOWN, ""


def _answered(error: ClientError) -> AwsFault:
    code = error_code(error)
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    message = error.response.get("Error", {}).get("Message", "")
    verdict, remedy = _CODES.get(code) or _by_family(code, message) or _by_status(status)
    return AwsFault(verdict, code or str(status), message, remedy)


def _by_family(code: str, message: str) -> _Meaning | None:
    if code == "InvalidRequest" and "encryption" in message.lower():
        return Verdict.MISCONFIGURED, _NO_CUSTOMER_KEY
    if code.startswith("KMS."):
        # What neither passes by itself nor is a matter of permissions is about the key: whatever
        # code comes new is held rather than lost.
        return _CODES.get(code.removeprefix("KMS."), (Verdict.MISCONFIGURED, _MEND_KEY))
    return None


def _by_status(status: int) -> _Meaning:
    if status == 429:
        return Verdict.THROTTLED, ""
    if status in (401, 403, 404):
        return Verdict.DENIED, _CHECK_ACCESS
    if status in (301, 308):
        return Verdict.MISCONFIGURED, _SET_REGION
    if status >= 500:
        return Verdict.UNAVAILABLE, ""
    return Verdict.UNKNOWN, ""
