"""What the verdicts on AWS's errors mean to the consumer."""

import pytest

from consumer.aws.clients import mapped, mapped_read
from consumer.errors import (
    AccessDenied,
    Misconfigured,
    Permanent,
)
from consumer.policy import RULES, Reaction
from schemas.codes import ErrorCode
from tests.support.aws_answers import answer


@pytest.mark.parametrize(
    ("code", "status", "expected"),
    [
        ("SlowDown", 503, ErrorCode.THROTTLED),
        ("AccessDenied", 403, ErrorCode.ACCESS_DENIED),
        ("ExpiredToken", 400, ErrorCode.ACCESS_DENIED),
        ("RequestExpired", 400, ErrorCode.ACCESS_DENIED),
        ("KMS.AccessDeniedException", 400, ErrorCode.ACCESS_DENIED),
        ("AuthorizationHeaderMalformed", 400, ErrorCode.MISCONFIGURED),
        ("IllegalLocationConstraintException", 400, ErrorCode.MISCONFIGURED),
        ("KMS.DisabledException", 400, ErrorCode.MISCONFIGURED),
        ("KMS.KMSInvalidStateException", 400, ErrorCode.MISCONFIGURED),
        ("KmsDisabled", 400, ErrorCode.MISCONFIGURED),
        ("InternalError", 500, ErrorCode.STORAGE_UNAVAILABLE),
        ("Unheard", 400, ErrorCode.INTERNAL),
    ],
)
def test_each_verdict_has_an_error_code(code: str, status: int, expected: ErrorCode) -> None:
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


def test_an_archived_object_is_permanent_and_says_what_to_do() -> None:
    error = mapped_read(answer("InvalidObjectState", 403), "reading")
    assert isinstance(error, Permanent)
    assert error.code is ErrorCode.OBJECT_ARCHIVED
    assert str(error).endswith("restore it, then replay")


@pytest.mark.parametrize("code", ["AccessDenied", "403", "KMS.AccessDeniedException"])
def test_what_may_be_denied_for_one_object_is_told_from_what_is_denied_to_us(code: str) -> None:
    """The policy may dead-letter the one; the other concerns every message."""
    about_one = mapped_read(answer(code, 403), "reading")
    assert isinstance(about_one, AccessDenied)
    assert about_one.is_about_object
    assert not mapped(answer(code, 403), "writing").is_about_object


def test_a_key_of_one_object_is_told_from_a_wrong_region() -> None:
    about_one = mapped_read(answer("KMS.DisabledException", 400), "reading")
    about_all = mapped_read(answer("AuthorizationHeaderMalformed", 400), "reading")
    assert isinstance(about_one, Misconfigured)
    assert isinstance(about_all, Misconfigured)
    assert [about_one.is_about_object, about_all.is_about_object] == [True, False]


@pytest.mark.parametrize("code", ["ExpiredToken", "InvalidAccessKeyId", "NoSuchBucket"])
def test_bad_credentials_and_names_are_no_object_s_own(code: str) -> None:
    assert type(mapped_read(answer(code, 403), "reading")) is AccessDenied


@pytest.mark.parametrize("code", ["404", "NotFound"])
def test_a_404_of_something_that_is_no_s3_condemns_no_object(code: str) -> None:
    """A wrong AWS_ENDPOINT_URL must not empty the queue into the DLQ."""
    assert mapped_read(answer(code, 404), "x").code is ErrorCode.ACCESS_DENIED


@pytest.mark.parametrize(
    "code", ["NoSuchKey", "InvalidArgument", "MethodNotAllowed", "404", "InvalidObjectState"]
)
def test_only_reading_can_find_an_object_missing(code: str) -> None:
    """Whatever SQS or a write is told, it is not the message's fault."""
    assert RULES[mapped(answer(code, 404), "x").code].reaction is not Reaction.DEAD_LETTER
