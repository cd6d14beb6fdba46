"""Every error that botocore and the documentation know has a verdict.

A new one fails this until somebody decides.
"""

import inspect
import re
import ssl
from collections.abc import Iterator
from typing import Any

import aiohttp
import botocore.exceptions
import pytest
from botocore.exceptions import BotoCoreError, ClientError
from botocore.loaders import Loader
from botocore.parsers import ResponseParserError

from runtime.aws_errors import AWS_ERRORS, Verdict, classify
from tests.support.aws_answers import answer

# Families by a base class, for what has not its own line: those who come later fall in as well.
FAMILIES: dict[str, Verdict] = {
    "HTTPClientError": Verdict.UNAVAILABLE,
    "ConnectionError": Verdict.UNAVAILABLE,
    "SSOError": Verdict.DENIED,
    "LoginError": Verdict.DENIED,
}
BY_NAME: dict[str, Verdict] = {
    "CapacityNotAvailableError": Verdict.THROTTLED,
    "ChecksumError": Verdict.UNAVAILABLE,
    "FlexibleChecksumError": Verdict.UNAVAILABLE,
    "IncompleteReadError": Verdict.UNAVAILABLE,
    "CredentialRetrievalError": Verdict.DENIED,
    "MetadataRetrievalError": Verdict.DENIED,
    "NoAuthTokenError": Verdict.DENIED,
    "NoCredentialsError": Verdict.DENIED,
    "PartialCredentialsError": Verdict.DENIED,
    "RefreshWithMFAUnsupportedError": Verdict.DENIED,
    "TokenRetrievalError": Verdict.DENIED,
}
# Wrong configuration: raised when a client is made, before anything is received; or of a
# feature that we do not use
CONFIGURATION = {
    "ApiVersionNotFoundError",
    "BaseEndpointResolverError",
    "BotoCoreError",
    "ConfigNotFound",
    "ConfigParseError",
    "DataNotFoundError",
    "EndpointProviderError",
    "EndpointResolutionError",
    "EndpointVariantError",
    "InfiniteLoopConfigError",
    "InvalidChecksumConfigError",
    "InvalidConfigError",
    "InvalidDefaultsMode",
    "InvalidEndpointConfigurationError",
    "InvalidEndpointDiscoveryConfigurationError",
    "InvalidHostLabelError",
    "InvalidIMDSEndpointError",
    "InvalidIMDSEndpointModeError",
    "InvalidMaxRetryAttemptsError",
    "InvalidProxiesConfigError",
    "InvalidDNSNameError",
    "InvalidRegionError",
    "InvalidRetryConfigurationError",
    "InvalidRetryModeError",
    "InvalidS3AddressingStyleError",
    "InvalidS3UsEast1RegionalEndpointConfigError",
    "InvalidSTSRegionalEndpointsConfigError",
    "MD5UnavailableError",
    "MissingDependencyException",
    "NoRegionError",
    "ProfileNotFound",
    "ServiceNotInRegionError",
    "UnknownCredentialError",
    "UnknownEndpointError",
    "UnknownEndpointResolutionBuiltInName",
    "UnknownFIPSEndpointError",
    "UnknownRegionError",
    "UnknownServiceError",
    "UnknownServiceStyle",
    "UnknownSignatureVersionError",
    "UnknownTokenProviderError",
    "UnsupportedOutpostResourceError",
    "UnsupportedS3AccesspointConfigurationError",
    "UnsupportedS3ArnError",
    "UnsupportedS3ConfigurationError",
    "UnsupportedS3ControlArnError",
    "UnsupportedS3ControlConfigurationError",
    "UnsupportedServiceProtocolsError",
    "UnsupportedSignatureVersionError",
}
# Calls with wrong arguments, a bug of ours; or botocore's own tests
WRONG_CALLS = {
    "AliasConflictParameterError",
    "AwsChunkedWrapperError",
    "InvalidExpressionError",
    "MissingParametersError",
    "OperationNotPageableError",
    "PaginationError",
    "ParamValidationError",
    "RangeError",
    "StubAssertionError",
    "StubResponseError",
    "UnStubbedResponseError",
    "UnknownClientMethodError",
    "UnknownKeyError",
    "UnknownParameterError",
    "UnseekableStreamError",
    "ValidationError",
    "WaiterConfigError",
    "WaiterError",
}
# Neither BotoCoreError nor ClientError: not raised by calls
NO_CALL = {"MissingServiceIdError", "UndefinedModelAttributeError"}

# The Amazon S3 API reference, "Error responses", the common errors of AWS, and what HEAD gives
# instead of a code: what botocore's models do not list. Status 0: not documented.
MORE_CODES: dict[str, tuple[int, Verdict]] = {
    "301": (301, Verdict.MISCONFIGURED),
    "400": (400, Verdict.MISCONFIGURED),
    "403": (403, Verdict.DENIED),
    "404": (404, Verdict.DENIED),
    "AWS.SimpleQueueService.NonExistentQueue": (400, Verdict.DENIED),
    "AccessDeniedException": (400, Verdict.DENIED),
    "AuthorizationQueryParametersError": (400, Verdict.UNKNOWN),
    "BucketNotEmpty": (409, Verdict.UNKNOWN),
    "ConditionalRequestConflict": (409, Verdict.UNAVAILABLE),
    "EndpointNotFound": (400, Verdict.MISCONFIGURED),
    "ExpiredTokenException": (400, Verdict.DENIED),
    "IllegalLocationConstraintException": (400, Verdict.MISCONFIGURED),
    "IncompleteSignature": (400, Verdict.DENIED),
    "IncorrectEndpoint": (400, Verdict.MISCONFIGURED),
    "InternalFailure": (500, Verdict.UNAVAILABLE),
    "InvalidAccessPoint": (400, Verdict.MISCONFIGURED),
    "InvalidAccessPointAliasError": (400, Verdict.MISCONFIGURED),
    "InvalidClientTokenId": (403, Verdict.DENIED),
    "InvalidHostHeader": (400, Verdict.MISCONFIGURED),
    "InvalidRegion": (403, Verdict.MISCONFIGURED),
    "InvalidSignatureException": (400, Verdict.DENIED),
    "KMS.AccessDeniedException": (400, Verdict.DENIED),
    "KMS.ThrottlingException": (400, Verdict.THROTTLED),
    "MalformedPolicy": (400, Verdict.UNKNOWN),
    "MissingAuthenticationToken": (403, Verdict.DENIED),
    "NoSuchAccessPoint": (404, Verdict.DENIED),
    "NotAuthorized": (400, Verdict.DENIED),
    "OptInRequired": (403, Verdict.DENIED),
    "RequestAbortedException": (400, Verdict.UNAVAILABLE),
    "RequestExpired": (400, Verdict.DENIED),
    "RequestLimitExceeded": (503, Verdict.THROTTLED),
    "RequestThrottled": (403, Verdict.THROTTLED),
    "Throttling": (400, Verdict.THROTTLED),
    "ThrottlingException": (400, Verdict.THROTTLED),
    "TooManyRequestsException": (400, Verdict.THROTTLED),
    "UnrecognizedClientException": (403, Verdict.DENIED),
    "ValidationError": (400, Verdict.UNKNOWN),
    "XAmzContentSHA256Mismatch": (400, Verdict.UNAVAILABLE),
}
# The codes of the models, by their meaning
MEANT: dict[Verdict, set[str]] = {
    Verdict.MISSING: {
        "InvalidArgument",
        "KeyTooLongError",
        "MethodNotAllowed",
        "NoSuchKey",
        "NoSuchVersion",
    },
    Verdict.ARCHIVED: {
        "InvalidObjectState",
        "ObjectNotInActiveTierError",
    },
    Verdict.DENIED: {
        "AccessDenied",
        "AccountProblem",
        "AllAccessDisabled",
        "CrossLocationLoggingProhibited",
        "ExpiredToken",
        "InvalidAccessKeyId",
        "InvalidAddress",
        "InvalidPayer",
        "InvalidSecurity",
        "InvalidToken",
        "KmsAccessDenied",
        "NoSuchBucket",
        "NoSuchBucketPolicy",
        "NoSuchLifecycleConfiguration",
        "NoSuchUpload",
        "NotSignedUp",
        "QueueDoesNotExist",
        "RequestTimeTooSkewed",
        "SignatureDoesNotMatch",
        "TokenRefreshRequired",
    },
    Verdict.THROTTLED: {
        "KmsThrottled",
        "OverLimit",
        "RequestThrottled",
        "SlowDown",
    },
    Verdict.MISCONFIGURED: {
        "AuthorizationHeaderMalformed",
        "CredentialsNotSupported",
        "InvalidAddressingHeader",
        "InvalidBucketName",
        "InvalidLocationConstraint",
        "KmsDisabled",
        "KmsInvalidKeyUsage",
        "KmsInvalidState",
        "KmsNotFound",
        "KmsOptInRequired",
        "NotImplemented",
        "PermanentRedirect",
    },
    Verdict.UNAVAILABLE: {
        "BadDigest",
        "IncompleteBody",
        "InternalError",
        "OperationAborted",
        "Redirect",
        "RequestTimeout",
        "ServiceUnavailable",
        "TemporaryRedirect",
    },
    Verdict.UNKNOWN: {
        "AmbiguousGrantByEmailAddress",
        "AnnotationLimitExceeded",
        "AnnotationNameTooLong",
        "BatchEntryIdsNotDistinct",
        "BatchRequestTooLong",
        "BucketAlreadyExists",
        "BucketAlreadyOwnedByYou",
        "EmptyBatchRequest",
        "EncryptionTypeMismatch",
        "EntityTooLarge",
        "EntityTooSmall",
        "IdempotencyParameterMismatch",
        "IllegalVersioningConfigurationException",
        "IncorrectNumberOfFilesInPostRequest",
        "InlineDataTooLarge",
        "InvalidAnnotationName",
        "InvalidAttributeName",
        "InvalidAttributeValue",
        "InvalidBatchEntryId",
        "InvalidBucketState",
        "InvalidDigest",
        "InvalidEncryptionAlgorithmError",
        "InvalidIdFormat",
        "InvalidMessageContents",
        "InvalidPart",
        "InvalidPartOrder",
        "InvalidPolicyDocument",
        "InvalidPrefix",
        "InvalidRange",
        "InvalidRequest",
        "InvalidSOAPRequest",
        "InvalidStorageClass",
        "InvalidTargetBucketForLogging",
        "InvalidURI",
        "InvalidWriteOffset",
        "MalformedACLError",
        "MalformedPOSTRequest",
        "MalformedXML",
        "MaxMessageLengthExceeded",
        "MaxPostPreDataLengthExceededError",
        "MessageNotInflight",
        "MetadataTooLarge",
        "MissingAttachment",
        "MissingContentLength",
        "MissingRequestBodyError",
        "MissingSecurityElement",
        "MissingSecurityHeader",
        "NoLoggingStatusForKey",
        "NoSuchAnnotation",
        "ObjectAlreadyInActiveTierError",
        "PreconditionFailed",
        "PurgeQueueInProgress",
        "QueueDeletedRecently",
        "QueueNameExists",
        "ReceiptHandleIsInvalid",
        "RequestIsNotMultiPartContent",
        "RequestTorrentOfBucketError",
        "ResourceNotFoundException",
        "RestoreAlreadyInProgress",
        "TooManyBuckets",
        "TooManyEntriesInBatchRequest",
        "TooManyParts",
        "UnexpectedContent",
        "UnresolvableGrantByEmailAddress",
        "UnsupportedMediaType",
        "UnsupportedOperation",
        "UserKeyMustBeSpecified",
    },
}
# KMS's own exceptions come through S3 with a prefix; all others of its are about the key.
KMS_UNAVAILABLE = {"DependencyTimeoutException", "KMSInternalException", "KeyUnavailableException"}
KMS_THROTTLED = {"LimitExceededException"}


def model(service: str) -> dict[str, Any]:
    return dict(Loader().load_service_model(service, "service-2"))


def exceptions_of(service: str) -> set[str]:
    shapes = model(service)["shapes"].items()
    return {name for name, shape in shapes if shape.get("exception")}


def documented() -> Iterator[tuple[str, int]]:
    """Yield the codes that S3's model lists in its documentation, with their status."""
    text = model("s3")["shapes"]["Error"]["members"]["Code"]["documentation"]
    entry = r"<i>Code:</i> ?(\w+) ?</p>.*?<i>HTTP Status Code:</i> ?(\d*)"
    for code, status in re.findall(entry, text, re.DOTALL):
        yield code, int(status or 0)


def test_every_code_that_the_models_of_s3_and_sqs_document_has_its_verdict() -> None:
    codes = dict.fromkeys(exceptions_of("s3") | exceptions_of("sqs"), 400) | dict(documented())
    assert len(codes) > 110
    expected = {code: verdict for verdict, codes in MEANT.items() for code in codes}
    assert set() == codes.keys() - expected.keys(), "say in MEANT what they mean"
    found = {code: classify(answer(code, status)).verdict for code, status in codes.items()}
    assert found == {code: expected[code] for code in codes}


def test_every_exception_of_kms_that_s3_passes_on_is_about_the_key_or_passes() -> None:
    names = exceptions_of("kms")
    assert len(names) > 40
    found = {name: classify(answer(f"KMS.{name}", 400)).verdict for name in names}
    assert found == (
        dict.fromkeys(names, Verdict.MISCONFIGURED)
        | dict.fromkeys(KMS_UNAVAILABLE, Verdict.UNAVAILABLE)
        | dict.fromkeys(KMS_THROTTLED, Verdict.THROTTLED)
    )


@pytest.mark.parametrize(("code", "status", "verdict"), [(c, *m) for c, m in MORE_CODES.items()])
def test_what_the_models_do_not_list_has_its_verdict(
    code: str, status: int, verdict: Verdict
) -> None:
    assert classify(answer(code, status)).verdict is verdict


@pytest.mark.parametrize(
    ("code", "status", "verdict"),
    [
        ("Unheard", 429, Verdict.THROTTLED),
        ("Unheard", 401, Verdict.DENIED),
        ("Unheard", 403, Verdict.DENIED),
        ("Unheard", 404, Verdict.DENIED),
        ("502", 502, Verdict.UNAVAILABLE),
        ("", 503, Verdict.UNAVAILABLE),
        ("Unheard", 301, Verdict.MISCONFIGURED),
        ("Unheard", 400, Verdict.UNKNOWN),
    ],
)
def test_a_code_that_nobody_has_heard_of_is_told_by_its_status(
    code: str, status: int, verdict: Verdict
) -> None:
    assert classify(answer(code, status)).verdict is verdict


def test_whatever_must_be_corrected_by_somebody_comes_with_what_to_do() -> None:
    for code in (*MEANT[Verdict.MISCONFIGURED], *MEANT[Verdict.DENIED], *MORE_CODES):
        fault = classify(answer(code, 403))
        if fault.verdict in (Verdict.MISCONFIGURED, Verdict.DENIED):
            assert fault.remedy, code


def test_an_object_under_a_key_of_its_own_is_told_from_a_request_that_is_wrong() -> None:
    """S3 has one code for both; only its words tell them apart."""
    words = (
        "The object was stored using a form of Server Side Encryption. The correct parameters "
        "must be provided to retrieve the object."
    )
    fault = classify(answer("InvalidRequest", 400, words))
    assert (fault.verdict, "SSE-C" in fault.remedy) == (Verdict.MISCONFIGURED, True)
    assert classify(answer("InvalidRequest", 400)).verdict is Verdict.UNKNOWN


def known_errors() -> dict[str, type[Exception]]:
    return {
        name: kind
        for name, kind in inspect.getmembers(botocore.exceptions, inspect.isclass)
        if issubclass(kind, Exception) and not issubclass(kind, Warning)
    }


def made(kind: type[Exception]) -> Exception:
    """Make an error of a class without knowing the fields of its message."""
    error = kind.__new__(kind)
    Exception.__init__(error, "x")
    return error


def intended(name: str, kind: type[Exception]) -> Verdict:
    """Say what an error is meant to be, from the tables above."""
    if name in BY_NAME:
        return BY_NAME[name]
    for family, meaning in FAMILIES.items():
        if issubclass(kind, getattr(botocore.exceptions, family)):
            return meaning
    assert name in CONFIGURATION | WRONG_CALLS, f"{name} is not classified"
    return Verdict.MISCONFIGURED if name in CONFIGURATION else Verdict.UNKNOWN


def test_every_error_that_botocore_raises_by_itself_has_its_verdict() -> None:
    kinds = {name: kind for name, kind in known_errors().items() if issubclass(kind, BotoCoreError)}
    assert len(kinds) > 80
    found = {name: classify(made(kind)).verdict for name, kind in kinds.items()}
    assert found == {name: intended(name, kind) for name, kind in kinds.items()}


def test_no_error_of_a_call_goes_uncaught() -> None:
    uncaught = {name for name, kind in known_errors().items() if not issubclass(kind, AWS_ERRORS)}
    assert uncaught == NO_CALL


def test_no_line_of_the_tables_is_of_a_class_that_is_gone() -> None:
    """Older releases know fewer of them; this is for the release in the lock file."""
    assert known_errors().keys() >= {*FAMILIES, *BY_NAME, *CONFIGURATION, *WRONG_CALLS, *NO_CALL}


@pytest.mark.parametrize(
    "error",
    [
        aiohttp.ServerDisconnectedError(),
        aiohttp.ClientPayloadError("cut off"),
        aiohttp.ServerTimeoutError(),
        TimeoutError(),
        ConnectionResetError(),
        ssl.SSLError(),
        ResponseParserError("a proxy's page"),
    ],
)
def test_what_the_network_does_is_nobody_s_fault(error: Exception) -> None:
    assert isinstance(error, AWS_ERRORS)
    assert classify(error).verdict is Verdict.UNAVAILABLE


@pytest.mark.parametrize(
    "error",
    [
        FileNotFoundError(2, "No such file", "/var/run/secrets/token"),
        FileNotFoundError(2, "No such file"),  # as ssl raises it for AWS_CA_BUNDLE
        PermissionError(13, "Permission denied", "/var/run/secrets/token"),
    ],
)
def test_a_file_that_a_variable_names_and_nobody_can_read_is_configuration(
    error: Exception,
) -> None:
    """Waiting for it would wait for ever."""
    assert classify(error).verdict is Verdict.MISCONFIGURED


def test_a_bucket_that_cannot_exist_is_configuration_and_another_wrong_argument_a_bug() -> None:
    report = 'Invalid bucket name "a b": Bucket name must match the regex'
    error = botocore.exceptions.ParamValidationError(report=report)
    assert classify(error).verdict is Verdict.MISCONFIGURED
    error = botocore.exceptions.ParamValidationError(report="Invalid length for parameter Key")
    assert classify(error).verdict is Verdict.UNKNOWN


def test_an_answer_without_a_body_is_understood() -> None:
    assert classify(ClientError({}, "GetObject")).verdict is Verdict.UNKNOWN
