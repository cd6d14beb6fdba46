"""What an error of AWS or PostgreSQL means to an operator, and what to do about it. Pure."""

from botocore.exceptions import ParamValidationError

from consumer.operate.doctor.facts import Unknown
from consumer.settings import DatabaseSettings
from runtime.aws_clients import AwsUnusable
from runtime.aws_errors import Verdict, classify

_ABSENT = frozenset({"404", "NoSuchBucket", "NonExistentQueue", "QueueDoesNotExist"})
# What AWS says of an action that a policy does not grant
_NOT_GRANTED = frozenset({"403", "AccessDenied", "AccessDeniedException"})

# What PostgreSQL and libpq say when a connection fails, and what helps; the first that fits.
_CONNECTION_REMEDIES = (
    ("password", "correct DB_USER and DB_PASSWORD"),
    ("pg_hba.conf", "let this host and user in (pg_hba.conf), or correct DB_USER and DB_HOST"),
    ("connection slots", "raise max_connections, or run fewer consumers"),
    ("too many clients", "raise max_connections, or run fewer consumers"),
    ("too many connections", "raise the CONNECTION LIMIT, or run fewer consumers"),
    ("permission denied", "GRANT CONNECT ON DATABASE to DB_USER"),
    ("role ", "create the user, or correct DB_USER"),
    ("database ", "create the database, or correct DB_NAME"),
    ("unsupported startup parameter", "unset PGOPTIONS, or let the pooler pass it on"),
    ("resolve host", "correct DB_HOST"),
    ("translate host", "correct DB_HOST"),
    ("No such file", "correct DB_HOST, the directory of the socket, or start PostgreSQL"),
    ("refused", "start PostgreSQL, or correct DB_HOST and DB_PORT"),
    ("timeout", "correct DB_HOST and DB_PORT, or let the network through"),
)


def aws_refusal(error: Exception, action: str, resource: str, variable: str) -> Unknown:
    """Say what an AWS error means.

    Args:
        error: What the SDK raised.
        action: What was tried, as IAM calls it.
        resource: On what.
        variable: The setting that names it.
    """
    what = f"{action} on {resource}"
    fault = error.fault if isinstance(error, AwsUnusable) else classify(error)
    reason = f"{what}: {fault.code}: {fault.message}"
    if fault.code in _ABSENT:
        remedy = (
            f"create it, or correct {variable}; localstack-init/ready.d/10_lake_and_queues.py "
            "shows the whole set-up"
        )
        return Unknown(f"{resource} does not exist", remedy, is_denial=True)
    if isinstance(error, ParamValidationError):
        return Unknown(f"{resource} is no possible name", f"correct {variable}", is_denial=True)
    if fault.code in _NOT_GRANTED:
        return Unknown(reason, f"grant {what} to the role", is_denial=True)
    is_denial = fault.verdict in (Verdict.DENIED, Verdict.MISCONFIGURED)
    return Unknown(reason, fault.remedy or "let the network through", is_denial=is_denial)


def connection_refusal(error: Exception, settings: DatabaseSettings) -> Unknown:
    """Say why PostgreSQL cannot be connected to; it tells us in words only."""
    text = str(error)
    remedy = next(
        (remedy for words, remedy in _CONNECTION_REMEDIES if words in text),
        "check DB_HOST, DB_PORT, DB_NAME, DB_USER and DB_PASSWORD",
    )
    where = f"{settings.db_name} on {settings.db_host}:{settings.db_port}"
    return Unknown(f"{where} cannot be connected to: {' '.join(text.split())}", remedy)
