"""Every error that botocore knows has a meaning here; a new one fails this until somebody decides."""

import inspect
import ssl
from typing import Any

import aiohttp
import botocore.exceptions
import pytest
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from consumer.aws.clients import AWS_ERRORS, mapped, mapped_read
from consumer.errors import (
    AccessDenied,
    ConsumerError,
    Internal,
    ObjectDenied,
    Permanent,
    StorageUnavailable,
    Throttled,
)
from consumer.policy import RULES, Reaction
from schemas.codes import ErrorCode

# Families by a base class, for what has not its own line: those who come later fall in as well.
FAMILIES: dict[str, type[ConsumerError]] = {
    "HTTPClientError": StorageUnavailable,
    "ConnectionError": StorageUnavailable,
    "SSOError": AccessDenied,
    "LoginError": AccessDenied,
}
BY_NAME: dict[str, type[ConsumerError]] = {
    "CapacityNotAvailableError": Throttled,
    "ChecksumError": StorageUnavailable,
    "FlexibleChecksumError": StorageUnavailable,
    "IncompleteReadError": StorageUnavailable,
    "CredentialRetrievalError": AccessDenied,
    "MetadataRetrievalError": AccessDenied,
    "NoAuthTokenError": AccessDenied,
    "NoCredentialsError": AccessDenied,
    "PartialCredentialsError": AccessDenied,
    "RefreshWithMFAUnsupportedError": AccessDenied,
    "TokenRetrievalError": AccessDenied,
}
CONFIGURATION = "wrong configuration: raised when the client is made, before anything is received"
ARGUMENTS = "a call with wrong arguments: a bug of ours"
UNUSED = "of a feature that we do not use"
INTERNAL: dict[str, str] = {
    "AliasConflictParameterError": ARGUMENTS,
    "ApiVersionNotFoundError": CONFIGURATION,
    "AwsChunkedWrapperError": ARGUMENTS,
    "BaseEndpointResolverError": CONFIGURATION,
    "BotoCoreError": "the base class",
    "ConfigNotFound": CONFIGURATION,
    "ConfigParseError": CONFIGURATION,
    "DataNotFoundError": CONFIGURATION,
    "EndpointProviderError": CONFIGURATION,
    "EndpointResolutionError": CONFIGURATION,
    "EndpointVariantError": CONFIGURATION,
    "InfiniteLoopConfigError": CONFIGURATION,
    "InvalidChecksumConfigError": CONFIGURATION,
    "InvalidConfigError": CONFIGURATION,
    "InvalidDNSNameError": ARGUMENTS,
    "InvalidDefaultsMode": CONFIGURATION,
    "InvalidEndpointConfigurationError": CONFIGURATION,
    "InvalidEndpointDiscoveryConfigurationError": CONFIGURATION,
    "InvalidExpressionError": UNUSED,
    "InvalidHostLabelError": CONFIGURATION,
    "InvalidIMDSEndpointError": CONFIGURATION,
    "InvalidIMDSEndpointModeError": CONFIGURATION,
    "InvalidMaxRetryAttemptsError": CONFIGURATION,
    "InvalidProxiesConfigError": CONFIGURATION,
    "InvalidRegionError": CONFIGURATION,
    "InvalidRetryConfigurationError": CONFIGURATION,
    "InvalidRetryModeError": CONFIGURATION,
    "InvalidS3AddressingStyleError": CONFIGURATION,
    "InvalidS3UsEast1RegionalEndpointConfigError": CONFIGURATION,
    "InvalidSTSRegionalEndpointsConfigError": CONFIGURATION,
    "MD5UnavailableError": CONFIGURATION,
    "MissingDependencyException": CONFIGURATION,
    "MissingParametersError": ARGUMENTS,
    "NoRegionError": CONFIGURATION,
    "OperationNotPageableError": UNUSED,
    "PaginationError": "a listing that repeats its token",
    "ParamValidationError": ARGUMENTS,
    "ProfileNotFound": CONFIGURATION,
    "RangeError": ARGUMENTS,
    "ServiceNotInRegionError": CONFIGURATION,
    "StubAssertionError": "botocore's own tests",
    "StubResponseError": "botocore's own tests",
    "UnStubbedResponseError": "botocore's own tests",
    "UnknownClientMethodError": ARGUMENTS,
    "UnknownCredentialError": CONFIGURATION,
    "UnknownEndpointError": CONFIGURATION,
    "UnknownEndpointResolutionBuiltInName": CONFIGURATION,
    "UnknownFIPSEndpointError": CONFIGURATION,
    "UnknownKeyError": ARGUMENTS,
    "UnknownParameterError": ARGUMENTS,
    "UnknownRegionError": CONFIGURATION,
    "UnknownServiceError": CONFIGURATION,
    "UnknownServiceStyle": CONFIGURATION,
    "UnknownSignatureVersionError": CONFIGURATION,
    "UnknownTokenProviderError": CONFIGURATION,
    "UnseekableStreamError": ARGUMENTS,
    "UnsupportedOutpostResourceError": UNUSED,
    "UnsupportedS3AccesspointConfigurationError": UNUSED,
    "UnsupportedS3ArnError": CONFIGURATION,
    "UnsupportedS3ConfigurationError": CONFIGURATION,
    "UnsupportedS3ControlArnError": UNUSED,
    "UnsupportedS3ControlConfigurationError": UNUSED,
    "UnsupportedServiceProtocolsError": CONFIGURATION,
    "UnsupportedSignatureVersionError": CONFIGURATION,
    "ValidationError": ARGUMENTS,
    "WaiterConfigError": UNUSED,
    "WaiterError": UNUSED,
}
# Neither BotoCoreError nor ClientError: not raised by calls
NO_CALL = {"MissingServiceIdError", "UndefinedModelAttributeError"}


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


def intended(name: str, kind: type[Exception]) -> type[ConsumerError]:
    """Say what an error is meant to become, from the tables above."""
    if name in BY_NAME:
        return BY_NAME[name]
    for family, meaning in FAMILIES.items():
        if issubclass(kind, getattr(botocore.exceptions, family)):
            return meaning
    assert name in INTERNAL, f"{name} is not classified"
    return Internal


def test_every_error_that_botocore_knows_becomes_what_is_intended() -> None:
    kinds = {name: kind for name, kind in known_errors().items() if issubclass(kind, BotoCoreError)}
    assert len(kinds) > 80
    found = {name: type(mapped(made(kind), "x")) for name, kind in kinds.items()}
    assert found == {name: intended(name, kind) for name, kind in kinds.items()}


def test_no_error_of_a_call_goes_uncaught() -> None:
    uncaught = {name for name, kind in known_errors().items() if not issubclass(kind, AWS_ERRORS)}
    assert uncaught == NO_CALL


def test_no_line_of_the_tables_is_of_a_class_that_is_gone() -> None:
    """Older releases know fewer of them; this is for the release in the lock file."""
    assert known_errors().keys() >= {*FAMILIES, *BY_NAME, *INTERNAL, *NO_CALL}


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
    assert isinstance(mapped(error, "x"), StorageUnavailable)


def answer(code: str, status: int) -> ClientError:
    response: Any = {
        "Error": {"Code": code, "Message": "said"},
        "ResponseMetadata": {"HTTPStatusCode": status},
    }
    return ClientError(response, "GetObject")


@pytest.mark.parametrize(
    ("code", "status", "expected"),
    [
        ("SlowDown", 503, ErrorCode.THROTTLED),
        ("Throttling", 400, ErrorCode.THROTTLED),
        ("RequestThrottled", 403, ErrorCode.THROTTLED),
        ("OverLimit", 403, ErrorCode.THROTTLED),
        ("Unheard", 429, ErrorCode.THROTTLED),
        ("AccessDenied", 403, ErrorCode.ACCESS_DENIED),
        ("ExpiredToken", 400, ErrorCode.ACCESS_DENIED),
        ("InvalidAccessKeyId", 403, ErrorCode.ACCESS_DENIED),
        ("NoSuchBucket", 404, ErrorCode.ACCESS_DENIED),
        ("AWS.SimpleQueueService.NonExistentQueue", 400, ErrorCode.ACCESS_DENIED),
        ("QueueDoesNotExist", 400, ErrorCode.ACCESS_DENIED),
        ("Unheard", 403, ErrorCode.ACCESS_DENIED),
        ("InternalError", 500, ErrorCode.STORAGE_UNAVAILABLE),
        ("ServiceUnavailable", 503, ErrorCode.STORAGE_UNAVAILABLE),
        ("RequestTimeout", 400, ErrorCode.STORAGE_UNAVAILABLE),
        ("502", 502, ErrorCode.STORAGE_UNAVAILABLE),
        ("Unheard", 400, ErrorCode.INTERNAL),
    ],
)
def test_answers_of_aws_are_told_by_code_and_status(
    code: str, status: int, expected: ErrorCode
) -> None:
    for translate in (mapped, mapped_read):
        error = translate(answer(code, status), "reading")
        assert error.code is expected
        assert str(error).startswith(f"reading: {code}: said")


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("NoSuchKey", 404),
        ("NoSuchVersion", 404),
        ("MethodNotAllowed", 405),  # a delete marker, read by its version
        ("InvalidArgument", 400),  # no version id at all
        ("KeyTooLongError", 400),
    ],
)
def test_an_object_that_is_gone_is_so_only_in_s3_s_own_words(code: str, status: int) -> None:
    error = mapped_read(answer(code, status), "reading")
    assert isinstance(error, Permanent)
    assert error.code is ErrorCode.OBJECT_MISSING


@pytest.mark.parametrize("code", ["AccessDenied", "403", "KMS.AccessDeniedException"])
def test_what_may_be_denied_for_one_object_is_told_from_what_is_denied_to_us(code: str) -> None:
    """The policy may dead-letter the one; the other concerns every message."""
    assert isinstance(mapped_read(answer(code, 403), "reading"), ObjectDenied)
    assert not isinstance(mapped(answer(code, 403), "writing"), ObjectDenied)


@pytest.mark.parametrize("code", ["ExpiredToken", "InvalidAccessKeyId", "NoSuchBucket"])
def test_bad_credentials_and_names_are_no_object_s_own(code: str) -> None:
    error = mapped_read(answer(code, 403), "reading")
    assert error.code is ErrorCode.ACCESS_DENIED
    assert not isinstance(error, ObjectDenied)


@pytest.mark.parametrize("code", ["404", "NotFound"])
def test_a_404_of_something_that_is_no_s3_condemns_no_object(code: str) -> None:
    """A wrong AWS_ENDPOINT_URL must not empty the queue into the DLQ."""
    assert mapped_read(answer(code, 404), "x").code is ErrorCode.ACCESS_DENIED


@pytest.mark.parametrize("code", ["NoSuchKey", "InvalidArgument", "MethodNotAllowed", "404"])
def test_only_reading_can_find_an_object_missing(code: str) -> None:
    """Whatever SQS or a write is told, it is not the message's fault."""
    assert RULES[mapped(answer(code, 404), "x").code].reaction is not Reaction.DEAD_LETTER


def test_an_answer_without_a_body_is_understood() -> None:
    assert mapped(ClientError({}, "GetObject"), "x").code is ErrorCode.INTERNAL
