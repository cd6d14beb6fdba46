"""What becomes of a message whose object failed: one table, by error code. Pure.

`ERROR_POLICY` can choose otherwise, except for broken documents and outages.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from consumer.errors import ConsumerError, Transient
from schemas.codes import ErrorCode


class Reaction(StrEnum):
    """What is done about a failure."""

    DEAD_LETTER = "dead_letter"  # error log, dead-letter queue, deletion
    IGNORE = "ignore"  # a ledger row that says so, and deletion
    RETRY = "retry"  # back to the queue with backoff, until its redrive policy dead-letters it
    HOLD = "hold"  # the breaker opens; the message is held and uses up no receive


@dataclass(frozen=True, slots=True)
class Rule:
    """A code's cause and what helps; the reaction to it and those that may be chosen instead."""

    cause: str
    remedy: str
    reaction: Reaction = Reaction.DEAD_LETTER
    instead: tuple[Reaction, ...] = ()


# docs/reference/error-codes.md is generated from this table.
RULES: Mapping[ErrorCode, Rule] = {
    ErrorCode.EVENT_MALFORMED: Rule(
        "The message is not an S3 event.",
        "Find out who writes to the queue, then purge the message.",
    ),
    ErrorCode.UNKNOWN_SOURCE: Rule(
        "The key does not follow the lake's layout, or the object is in another bucket.",
        "Move the object, describe its key in `KEY_TEMPLATES`, or ignore the code.",
        instead=(Reaction.IGNORE,),
    ),
    ErrorCode.OBJECT_MISSING: Rule(
        "The object was deleted before it was read.",
        "Pull or upload it again, then purge the message.",
        instead=(Reaction.IGNORE, Reaction.RETRY),
    ),
    ErrorCode.OBJECT_ARCHIVED: Rule(
        "The object is archived (S3 Glacier) and cannot be read.",
        "Restore it, then replay.",
        instead=(Reaction.IGNORE, Reaction.RETRY),
    ),
    ErrorCode.OBJECT_TOO_LARGE: Rule(
        "The object is larger than the limit, as stored or once unpacked.",
        "Split the document, or raise `MAX_OBJECT_BYTES` or `MAX_DECOMPRESSED_BYTES`.",
    ),
    ErrorCode.JSON_MALFORMED: Rule(
        "The document was cut off or is not JSON; the error log names line and column.",
        "Export or pull it again.",
    ),
    ErrorCode.ENCODING_INVALID: Rule(
        "The document is not UTF-8, or its gzip data is broken.",
        "Export it again as UTF-8.",
    ),
    ErrorCode.SCHEMA_INVALID: Rule(
        "Valid JSON, but not this source's document: an error page, or a renamed list.",
        "Pull it again, or name the list in `SCHEMA_ALIASES_FILE`; then replay.",
    ),
    ErrorCode.RECORDS_INVALID: Rule(
        "Some records are invalid; the others are loaded. The error log lists each and why.",
        "Correct the records, then pull or upload the document again; or add an alias and replay.",
    ),
    ErrorCode.IDENTITY_MISMATCH: Rule(
        "The document and its key name different stores or days.",
        "Pull the day again with `--force`, or upload the document under the right key.",
    ),
    ErrorCode.AMBIGUOUS_FIELD: Rule(
        "A field came under two names with different values.",
        "Remove one alias or one of the fields, then replay.",
    ),
    ErrorCode.DATA_REJECTED: Rule(
        "PostgreSQL refused a value that no single record could be blamed for.",
        "Correct what PostgreSQL's message in the error log names, then replay.",
    ),
    ErrorCode.STORAGE_UNAVAILABLE: Rule(
        "S3 or SQS does not answer.",
        "Nothing: loading resumes by itself once they answer.",
        Reaction.HOLD,
    ),
    ErrorCode.DATABASE_UNAVAILABLE: Rule(
        "PostgreSQL does not answer, or its tables belong to an older release.",
        "Restore the database, or run `consumer migrate`; loading then resumes by itself.",
        Reaction.HOLD,
    ),
    ErrorCode.THROTTLED: Rule(
        "AWS asks us to slow down.",
        "Nothing; if it lasts, run fewer consumers or raise the quota.",
        Reaction.HOLD,
    ),
    # Chosen otherwise for single objects only: without any permission, everything waits.
    ErrorCode.ACCESS_DENIED: Rule(
        "Credentials, policy or a name is wrong; the log names the refused call.",
        "Run `consumer doctor` and correct what it names.",
        Reaction.HOLD,
        (Reaction.DEAD_LETTER, Reaction.RETRY),
    ),
    ErrorCode.LOCAL_DISK: Rule(
        "The temporary directory (`TMPDIR`) is full, read-only or missing.",
        "Give it room for twice the largest document; loading then resumes by itself.",
        Reaction.HOLD,
    ),
    ErrorCode.MISCONFIGURED: Rule(
        "The region, a name or an encryption key cannot work as configured; the log says which.",
        "Correct what the log names, such as a disabled KMS key; loading then resumes by itself.",
        Reaction.HOLD,
        (Reaction.DEAD_LETTER, Reaction.RETRY),
    ),
    ErrorCode.INTERNAL: Rule(
        "A bug in the consumer; the error log has the traceback and the release.",
        "Report it, deploy a fixed release, then replay.",
        Reaction.RETRY,
        (Reaction.DEAD_LETTER,),
    ),
}


@dataclass(frozen=True, slots=True)
class Policy:
    """The table with what was chosen otherwise."""

    chosen: Mapping[ErrorCode, Reaction] = field(default_factory=dict)

    def reaction(self, error: ConsumerError) -> Reaction:
        """Return what to do about an error."""
        default = RULES[error.code].reaction
        is_about_all = isinstance(error, Transient) and not error.is_about_object
        if default is Reaction.HOLD and is_about_all:
            return default
        return self.chosen.get(error.code, default)


def read_policy(text: str) -> Policy:
    """Read `object_missing=retry,access_denied=dead_letter`.

    Raises:
        ValueError: a code or reaction that does not exist or cannot be chosen, or a code twice.
    """
    chosen: dict[ErrorCode, Reaction] = {}
    for entry in filter(None, map(str.strip, text.split(","))):
        code, reaction = _read_entry(entry)
        if code in chosen:
            raise ValueError(f"{code} is given twice")
        chosen[code] = reaction
    return Policy(chosen)


def _read_entry(entry: str) -> tuple[ErrorCode, Reaction]:
    name, _, value = (part.strip() for part in entry.partition("="))
    open_to_choice = {code.value: rule for code, rule in RULES.items() if rule.instead}
    if name not in open_to_choice:
        codes = ", ".join(open_to_choice)
        told = f"write code=reaction; the codes that can be chosen for are {codes}"
        raise ValueError(f"{entry!r}: {told}")
    rule = open_to_choice[name]
    if value not in (rule.reaction, *rule.instead):
        raise ValueError(f"{entry!r}: choose {', '.join((rule.reaction, *rule.instead))}")
    return ErrorCode(name), Reaction(value)
