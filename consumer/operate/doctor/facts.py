"""What the probes learn. Plain values, so that checks can be tried without any server."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Unknown:
    """Something that could not be learned: why, and what to do about it.

    `is_denial` says that it was refused and will not work, rather than that nobody knows.
    """

    reason: str
    remedy: str
    is_denial: bool = False


@dataclass(frozen=True, slots=True)
class QueueFacts:
    """A queue; `denied` names the actions that its policy or ours refuses."""

    url: str
    attributes: Mapping[str, str]
    denied: tuple[str, ...] = ()

    @property
    def arn(self) -> str:
        """The queue's ARN."""
        return self.attributes.get("QueueArn", "")

    def number(self, name: str) -> int:
        """Return a numeric attribute; 0 if SQS does not tell it."""
        return int(self.attributes.get(name, "0"))


@dataclass(frozen=True, slots=True)
class LakeFacts:
    """The bucket. `reading` and `writing` are None when nothing was refused."""

    region: str | None
    notification: Mapping[str, Any] | Unknown
    reading: Unknown | None = None
    writing: Unknown | None = None


@dataclass(frozen=True, slots=True)
class TableFacts:
    """One of our tables."""

    name: str
    owner: str
    is_owned: bool
    lacking: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Sessions:
    """How many sessions the server allows and has; -1 is no limit."""

    server_limit: int
    role_limit: int
    database_limit: int
    in_use: int


@dataclass(frozen=True, slots=True)
class DatabaseFacts:
    """The database, as the consumer's user sees it.

    Attributes:
        user: Who we are there.
        encoding: The server's.
        is_read_only: Whether it is a replica or refuses to write.
        may_create_temporary: Whether temporary tables may be created.
        is_pooled_by_transaction: Whether a session loses its temporary tables at commit.
        schema_version: What `consumer migrate` left; None if it never ran.
        tables: Ours, as far as they exist.
        lacking: Tables and columns that the contracts name and the database lacks.
        sessions: Limits and use.
        alias_files: How many different ones were loaded with in the last ten minutes.
    """

    user: str
    encoding: str
    is_read_only: bool
    may_create_temporary: bool
    is_pooled_by_transaction: bool
    schema_version: str | None
    tables: tuple[TableFacts, ...]
    lacking: tuple[str, ...]
    sessions: Sessions
    alias_files: int = 0


@dataclass(frozen=True, slots=True)
class HostFacts:
    """The machine that the doctor runs on.

    Attributes:
        port_problem: Why HTTP_PORT cannot be listened on; None if it can, or is not set.
        consumer_answers: Whether a consumer answers on HTTP_PORT already.
        temporary_directory: Where large documents pass through.
        free_bytes: Room there.
        write_problem: Why a temporary file cannot be written; None if it can.
        tmpdir: What TMPDIR says; None if it is not set.
        memory_bytes: What its control groups allow; None without a limit.
    """

    port_problem: str | None
    consumer_answers: bool
    temporary_directory: str
    free_bytes: int
    write_problem: str | None = None
    tmpdir: str | None = None
    memory_bytes: int | None = None
