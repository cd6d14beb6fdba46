"""Every error class of botocore, and what the network and files raise, has a verdict.

A new class fails this until somebody decides.
"""

import inspect
import ssl

import aiohttp
import botocore.exceptions
import pytest
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from runtime.aws_errors import AWS_ERRORS, Verdict, classify

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
