"""What AWS errors mean to the consumer, and how long an operator waits for AWS."""

import asyncio
from collections.abc import Coroutine, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

from consumer import errors
from consumer.errors import ConsumerError, Permanent, Transient
from runtime.aws_errors import AWS_ERRORS, Verdict, classify
from schemas.codes import ErrorCode

_ANSWER_SECONDS = 10

R = TypeVar("R")

_ERRORS: Mapping[Verdict, type[Transient]] = {
    Verdict.DENIED: errors.AccessDenied,
    Verdict.THROTTLED: errors.Throttled,
    Verdict.MISCONFIGURED: errors.Misconfigured,
    Verdict.UNAVAILABLE: errors.StorageUnavailable,
}
# What may be about one object: the policy of its key or, without s3:ListBucket, its absence
_OBJECT_DENIED = frozenset({"403", "AccessDenied", "KMS.AccessDeniedException"})


def mapped(error: Exception, what: str) -> Transient:
    """Translate an AWS error; `what` says what was being done, for the message."""
    fault = classify(error)
    return _ERRORS.get(fault.verdict, errors.Internal)(f"{what}: {fault}")


def mapped_read(error: Exception, what: str) -> ConsumerError:
    """Translate an error of reading an object, which may be the object's own."""
    fault = classify(error)
    message = f"{what}: {fault}"
    if fault.verdict is Verdict.MISSING:
        return Permanent(ErrorCode.OBJECT_MISSING, message)
    if fault.verdict is Verdict.ARCHIVED:
        return Permanent(ErrorCode.OBJECT_ARCHIVED, f"{message}; restore it, then replay")
    if fault.verdict is Verdict.DENIED and fault.code in _OBJECT_DENIED:
        return errors.AccessDenied(message, is_about_object=True)
    if fault.verdict is Verdict.MISCONFIGURED and fault.code.startswith(("KMS.", "InvalidRequest")):
        return errors.Misconfigured(message, is_about_object=True)
    return mapped(error, what)


@contextmanager
def asking(what: str) -> Iterator[None]:
    """Translate AWS errors of the block; `what` says what it does, for the message."""
    try:
        yield
    except AWS_ERRORS as error:
        raise mapped(error, what) from error


async def soon(work: Coroutine[Any, Any, R], what: str) -> R:
    """Return what is asked of AWS first, so that nobody waits long for one that is down.

    Raises:
        Transient: AWS could not answer within ten seconds, or refuses us.
    """
    try:
        async with asyncio.timeout(_ANSWER_SECONDS):
            return await work
    except TimeoutError as error:
        raise errors.StorageUnavailable(
            f"{what}: no answer within {_ANSWER_SECONDS} s; check AWS_ENDPOINT_URL and the network"
        ) from error
