"""Asking AWS, and what its refusals mean to an operator.

Permissions are tried by calls that cannot be carried out: AWS refuses us first if we may not.
"""

from contextlib import AbstractAsyncContextManager
from typing import Any, Literal

from botocore.exceptions import ParamValidationError

from consumer.operate.doctor.findings import Unknown
from consumer.settings import LakeSettings
from runtime.aws_clients import AwsUnusable, open_client
from runtime.aws_errors import AWS_ERRORS, Verdict, classify

HOOK = "localstack-init/ready.d/10_lake_and_queues.py shows the whole set-up"
# What AWS says of an action that a policy does not grant
NOT_GRANTED = frozenset({"403", "AccessDenied", "AccessDeniedException"})
ASKING_ERRORS = (*AWS_ERRORS, AwsUnusable)

ABSENT = frozenset({"404", "NoSuchBucket", "NonExistentQueue", "QueueDoesNotExist"})
_CALLS_AT_ONCE, _SILENCE_SECONDS, _ATTEMPTS = 10, 3.0, 2


def open_impatient(
    service: Literal["s3", "sqs"], settings: LakeSettings
) -> AbstractAsyncContextManager[Any]:
    """Open what the consumer opens, but less patient; raises one of ASKING_ERRORS."""
    return open_client(service, settings, _CALLS_AT_ONCE, _SILENCE_SECONDS, _ATTEMPTS)


def refusal(error: Exception, action: str, resource: str, variable: str) -> Unknown:
    """Say what an error of an IAM action means; `variable` is the resource's setting."""
    what = f"{action} on {resource}"
    fault = error.fault if isinstance(error, AwsUnusable) else classify(error)
    reason, remedy = f"{what}: {fault.code}: {fault.message}", fault.remedy
    is_denial = fault.verdict in (Verdict.DENIED, Verdict.MISCONFIGURED)
    if fault.code in ABSENT:
        reason = f"{resource} does not exist"
        remedy = f"create it, or correct {variable}; {HOOK}"
    elif isinstance(error, ParamValidationError):
        reason, remedy = f"{resource} is no possible name", f"correct {variable}"
        is_denial = True
    elif fault.code in NOT_GRANTED:
        remedy = f"grant {what} to the role"
    return Unknown(reason, remedy or "let the network through", is_denial)
