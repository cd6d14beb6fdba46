"""Every error that psycopg knows has a meaning here; a new one fails this until somebody decides."""

import inspect

import psycopg
import psycopg_pool
import pytest
from psycopg import errors

from consumer.errors import AccessDenied, ConsumerError, DatabaseUnavailable, Internal, Permanent
from consumer.load.database import is_conflict, mapped
from consumer.policy import RULES, Reaction
from schemas.codes import ErrorCode

# By SQLSTATE class (PostgreSQL manual, Appendix A)
DATA_AT_FAULT = {"22", "23", "54"}
DATABASE_AT_FAULT = {
    "08": "connection",
    "24": "cursor state",
    "25": "transaction state, such as a standby that takes no writes",
    "27": "triggered data change",
    "2B": "dependent objects",
    "2D": "transaction termination",
    "2F": "SQL routine",
    "38": "external routine",
    "39": "external routine invocation",
    "3B": "savepoint",
    "40": "rollback: tried again at once, and later",
    "53": "out of memory, disk or connections",
    "55": "object not in the state needed, such as locked",
    "57": "shutdown, crash, timeout",
    "58": "system error",
    "F0": "configuration file",
    "HV": "foreign data wrapper",
    "XX": "internal error or corruption",
}
BUG_OF_OURS = {
    "02": "no data, where some was asked for",
    "03": "statement not complete",
    "09": "trigger",
    "0A": "feature not supported, such as a cached plan that a migration made stale",
    "0B": "transaction begun twice",
    "0F": "large object locator",
    "0L": "grantor",
    "0P": "role",
    "0Z": "diagnostics",
    "10": "XQuery, of which we use none",
    "20": "case not found",
    "21": "one statement that writes a row twice: a batch that was not made unique",
    "26": "prepared statement name",
    "34": "cursor name",
    "3D": "database name; at connection it is an operational error",
    "3F": "schema name",
    "42": "our SQL is wrong",
    "44": "view with check option, of which we have none",
    "72": "snapshot too old, of releases before 17",
    "P0": "PL/pgSQL, of which we have none",
}
DENIED = {"28000", "28P01", "42501"}
SCHEMA_BEHIND = {"42703", "42883", "42P01"}
# Raised by psycopg itself, without an SQLSTATE
BY_CLIENT = {
    "DataError": Permanent,  # text with NUL, a value without an adapter
    "IntegrityError": Permanent,
    "OperationalError": DatabaseUnavailable,
    "InternalError": DatabaseUnavailable,
    "CancellationTimeout": DatabaseUnavailable,
    "ConnectionTimeout": DatabaseUnavailable,
    "PipelineAborted": DatabaseUnavailable,
    "_WaitTimeout": DatabaseUnavailable,
    "PoolClosed": DatabaseUnavailable,
    "PoolTimeout": DatabaseUnavailable,
    "TooManyRequests": DatabaseUnavailable,
    "Error": Internal,  # base class
    "DatabaseError": Internal,  # base class
    "InterfaceError": Internal,  # psycopg used wrongly
    "NotSupportedError": Internal,  # base class
    "ProgrammingError": Internal,  # psycopg used wrongly
}


def known_errors() -> list[type[psycopg.Error]]:
    found = {
        kind
        for module in (errors, psycopg, psycopg_pool)
        for _, kind in inspect.getmembers(module, inspect.isclass)
        if issubclass(kind, psycopg.Error)
    }
    return sorted(found, key=lambda kind: kind.__name__)


def intended(kind: type[psycopg.Error]) -> type[ConsumerError]:
    """Say what an error is meant to become, from the tables above."""
    state = kind.sqlstate
    if state is None:
        return BY_CLIENT[kind.__name__]
    if state in DENIED:
        return AccessDenied
    if state in SCHEMA_BEHIND or state[:2] in DATABASE_AT_FAULT:
        return DatabaseUnavailable
    if state[:2] in DATA_AT_FAULT:
        return Permanent
    assert state[:2] in BUG_OF_OURS, f"{kind.__name__} ({state}) is not classified"
    return Internal


def test_every_error_that_psycopg_knows_becomes_what_is_intended() -> None:
    kinds = known_errors()
    assert len(kinds) > 250
    found = {kind.__name__: type(mapped(kind("x"))) for kind in kinds}
    assert found == {kind.__name__: intended(kind) for kind in kinds}


def test_only_what_the_data_is_to_blame_for_is_permanent() -> None:
    for kind in known_errors():
        error = mapped(kind("x"))
        dead_lettered = RULES[error.code].reaction is Reaction.DEAD_LETTER
        assert isinstance(error, Permanent) == dead_lettered
        if isinstance(error, Permanent):
            assert error.code is ErrorCode.DATA_REJECTED


@pytest.mark.parametrize("state", ["22999", "23999", "54999"])
def test_a_state_that_psycopg_does_not_know_is_told_by_its_class(state: str) -> None:
    error = psycopg.OperationalError("x")
    error.sqlstate = state
    assert mapped(error).code is ErrorCode.DATA_REJECTED


def test_conflicts_with_another_session_are_tried_again_at_once() -> None:
    conflicts = {kind.sqlstate for kind in known_errors() if is_conflict(kind("x"))}
    assert conflicts == {"40001", "40P01", "55P03"}


def test_messages_name_the_remedy() -> None:
    assert "DB_USER" in str(mapped(errors.InvalidPassword("x")))
    assert "consumer migrate" in str(mapped(errors.UndefinedTable("x")))
