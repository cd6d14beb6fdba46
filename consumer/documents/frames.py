"""The frame of a document: what it is, of which store and day, as of when.

A document with a broken frame is refused whole: loading part of something that is not this
source's answer could overwrite a good day with an empty one.
"""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from pydantic import ValidationError

from consumer.decoding.parse import JsonLines
from consumer.decoding.showing import cut_short
from consumer.documents.odd_values import cut_to_microseconds, original_name
from consumer.documents.quarantine import Places, ambiguous, record_errors
from consumer.drift.record_lists import looks_like_record, suggest
from consumer.errors import Permanent, RecordError
from schemas.aliases import Aliases, AmbiguousField, apply_renames
from schemas.codes import ErrorCode
from schemas.fields import MAX_STORE_CHARACTERS
from schemas.keys import API_PREFIX, ApiKey, pull_command
from schemas.layouts import DocumentKey
from schemas.paging import find_more, find_total
from schemas.registry import RootFields, Source

_EMPTY: tuple[Any, ...] = (None, "", [], {})
_FIRST_ERROR_STATUS = 400  # RFC 9110: from here on, an HTTP status is an error
_ERROR_FIELDS = ("error", "errors", "fault")
_PROBLEM_FIELDS = ("type", "title", "status", "detail")  # RFC 9457: two of them are a problem's
_NAMED_FIELDS = 3
_NO_HINT = "name where the records are in the alias file, or export them as the endpoint sends them"
_CORRECT = "correct it at its source, then pull or upload the document again"
_NO_STORE = (
    "storeId (or locRef) is missing, and the key names no store; add it, or upload the document "
    f"under {API_PREFIX}<endpoint>/busDt=<day>/storeId=<store>/"
)
_LIST_FIELDS = frozenset(source.entry.list_field for source in Source)


class DocumentInvalid(Permanent):
    """The document as a whole is refused; `drifted` is its root if the root fields have changed."""

    def __init__(
        self,
        code: ErrorCode,
        message: str,
        errors: tuple[RecordError, ...] = (),
        drifted: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(code, message, errors)
        self.drifted = drifted


@dataclass(frozen=True, slots=True)
class Frame:
    """What holds for every record of one document.

    `as_of` is the document's own `curUTC` in UTC, or None: then the object's LastModified
    stands for it. `bus_dt` is None for exports, which span days. `root` has a list without records.
    `places`: where records were that came from elsewhere than the list at the root.
    """

    source: Source
    store_id: str
    bus_dt: date | None
    as_of: datetime | None
    root: dict[str, Any] = field(default_factory=dict)
    extra: dict[str, Any] = field(default_factory=dict)
    places: Places | None = None


def open_document(
    root: Any, source: Source, key: DocumentKey, aliases: Aliases
) -> tuple[Frame, list[Any]]:
    """Check a decoded document's frame and identity, and hand out its unvalidated records.

    Numbers are int or Decimal, never float. Root fields get their canonical names, in place.

    Raises:
        DocumentInvalid: the frame or the identity is wrong; nothing of it may be loaded.
    """
    own = source.entry.list_field
    if not isinstance(root, dict):
        raise _not_an_object(root, source, aliases)
    try:
        apply_renames(root, aliases.at(source, ""))
    except AmbiguousField as error:
        found = ambiguous(error)
        message = f"{found.message}: {found.value}; {_CORRECT}"
        raise DocumentInvalid(ErrorCode.AMBIGUOUS_FIELD, message, (found,)) from error
    rows = root.get(own)
    if not isinstance(rows, list | None):
        raise _schema_invalid(f"{own} is {type(rows).__name__}, expected a list or null", root)
    refuse_part(root, key)
    if not rows:
        refuse_error_answer(root)
    if own not in root:
        _refuse_foreign(root, source, aliases, key)
    return _frame(root, source, key), rows or []


def _frame(root: dict[str, Any], source: Source, key: DocumentKey) -> Frame:
    own = source.entry.list_field
    beside = {name: value for name, value in root.items() if name != own}
    storable = beside.copy()
    cut_to_microseconds(storable, "curUTC")
    try:
        fields = RootFields.model_validate(storable)
    except ValidationError as error:
        errors = record_errors(error)
        told = "; ".join(f"{found.location} is {found.value}: {found.message}" for found in errors)
        message = f"{told}; {_CORRECT}"
        raise DocumentInvalid(ErrorCode.SCHEMA_INVALID, message, errors, beside) from error
    store_id, bus_dt = _identity(fields, key)
    if bus_dt is None and not source.holds_checks:
        raise _schema_invalid("busDt is missing, and the key names no day", beside)
    as_of = fields.curUTC
    if as_of is not None and as_of.tzinfo is None:
        as_of = as_of.replace(tzinfo=UTC)  # as Oracle means its `*UTC` fields
    return Frame(
        source=source,
        store_id=store_id,
        bus_dt=bus_dt,
        as_of=as_of,
        root=beside | ({own: None if root[own] is None else []} if own in root else {}),
        extra={
            original_name(name): value for name, value in (fields.__pydantic_extra__ or {}).items()
        },
    )


def _identity(fields: RootFields, key: DocumentKey) -> tuple[str, date | None]:
    store_id, key_store = (fields.storeId or "").strip(), (key.store_id or "").strip()
    if store_id and key_store and store_id != key_store:
        raise _mismatch("store", store_id, key_store, key)
    if None not in (fields.busDt, key.bus_dt) and fields.busDt != key.bus_dt:
        raise _mismatch("day", str(fields.busDt), str(key.bus_dt), key)
    store_id, bus_dt = store_id or key_store, fields.busDt or key.bus_dt
    if not store_id:
        raise _schema_invalid(
            _NO_STORE,
            fields.__pydantic_extra__,
        )
    if len(store_id) > MAX_STORE_CHARACTERS:
        raise _schema_invalid(
            f"the store id has {len(store_id)} characters, more than {MAX_STORE_CHARACTERS}"
        )
    return store_id, bus_dt


def _mismatch(what: str, in_document: str, in_key: str, key: DocumentKey) -> DocumentInvalid:
    remedy = "correct the document, or store it under the right key"
    if isinstance(key, ApiKey):
        remedy = f"pull it again, or upload it under the right key: {_pull_command(key)}"
    return DocumentInvalid(
        ErrorCode.IDENTITY_MISMATCH,
        f"the document says {what} {in_document[:100]!r}, its key says {in_key[:100]!r}; {remedy}",
    )


def _pull_command(key: ApiKey) -> str:
    return pull_command(key.source, key.bus_dt, key.store_id)


def refuse_part(root: dict[str, Any], key: DocumentKey) -> None:
    """Refuse a document that says that there is more of it elsewhere."""
    if more := find_more(root):
        raise _part(f"as {more.field} says", key)


def refuse_fewer(root: dict[str, Any], key: DocumentKey, record_count: int) -> None:
    """Raise DocumentInvalid for a document that holds fewer records than it says there are."""
    total = find_total(root)
    if total is not None and total > record_count:
        raise _part(f"with {record_count} of {total} records", key)


def _part(why: str, key: DocumentKey) -> DocumentInvalid:
    """Return the error of a part: taken for the day, it would remove the rest of it."""
    remedy = "export the whole day"
    if isinstance(key, ApiKey):
        remedy = f"pull the day again: {_pull_command(key)}"
    return _schema_invalid(f"the document is only a part, {why}; {remedy}")


def refuse_error_answer(root: dict[str, Any]) -> None:
    """Tell an empty day from an error answer, which would take back all of a good day."""
    status = root.get("status")
    signs = [name for name in _ERROR_FIELDS if root.get(name)]
    problem = [name for name in _PROBLEM_FIELDS if name in root]
    if len(problem) > 1:
        signs += problem
    elif type(status) is int and status >= _FIRST_ERROR_STATUS:
        signs.append("status")
    if signs:
        told = ", ".join(f"{name} is {cut_short(root[name])}" for name in signs)
        raise _schema_invalid(
            f"the document is an error answer of the ERP ({told}); pull or export the day again"
        )


def _refuse_foreign(
    root: dict[str, Any], source: Source, aliases: Aliases, key: DocumentKey
) -> None:
    """Tell an empty day, whose list is absent, from a document that is something else."""
    own = source.entry.list_field
    if foreign := sorted(_LIST_FIELDS & root.keys()):
        raise _schema_invalid(
            f"the document holds {foreign[0]}, but its key says {own}; upload it under the "
            "prefix of its own endpoint"
        )
    if looks_like_record(root, source, aliases):
        raise _schema_invalid(
            f"the document is a single record without the frame that holds {own}; "
            f"{suggest(root, source, aliases)}"
            + ("" if root.get("storeId") or key.store_id else f"; {_NO_STORE}")
        )
    known = RootFields.model_fields.keys()
    hint = suggest(root, source, aliases)
    if not known & root.keys() and hint is None:
        raise _schema_invalid(
            f"none of {own}, storeId (locRef), busDt or curUTC is there: not a document of ours"
        )
    if filled := sorted(name for name in root.keys() - known if root[name] not in _EMPTY):
        names = ", ".join(repr(name[:100]) for name in filled[:_NAMED_FIELDS])
        more = f" and {len(filled) - _NAMED_FIELDS} more" if len(filled) > _NAMED_FIELDS else ""
        raise _schema_invalid(
            f"{own} is missing and unknown fields are filled ({names}{more}): an empty day has "
            f"no such fields; {hint or _NO_HINT}",
            root,
        )


def _not_an_object(root: Any, source: Source, aliases: Aliases) -> DocumentInvalid:
    """Return the refusal of a list, of lines of JSON, or of a scalar."""
    kind, code, hint = "null" if root is None else type(root).__name__, ErrorCode.SCHEMA_INVALID, ""
    if isinstance(root, list):
        kind = f"a list of {len(root)}"
        hint = f"; {suggest(root, source, aliases) or _NO_HINT}"
    if isinstance(root, JsonLines):
        kind, code = f"{len(root)} JSON values, one a line (NDJSON)", ErrorCode.JSON_MALFORMED
    own = source.entry.list_field
    return DocumentInvalid(code, f"the document is {kind}, expected an object with {own}{hint}")


def _schema_invalid(message: str, drifted: dict[str, Any] | None = None) -> DocumentInvalid:
    return DocumentInvalid(ErrorCode.SCHEMA_INVALID, message, drifted=drifted)
