"""Every error code that the documentation of S3, SQS and KMS knows has a verdict.

A new code fails this until somebody decides.
"""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.loaders import Loader

from runtime.aws_errors import Verdict, classify
from tests.support.aws_answers import answer

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
