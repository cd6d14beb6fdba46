"""Which of a source's record paths leads to a document's records."""

from collections.abc import Set as AbstractSet
from itertools import islice
from typing import Any

from consumer.documents.frames import DocumentInvalid, refuse_error_answer
from consumer.drift.record_lists import leads_into, looks_like_record, records_at, suggest
from schemas.aliases import Aliases
from schemas.codes import ErrorCode
from schemas.record_paths import EACH, RecordPath
from schemas.registry import RootFields, Source

_SAMPLE = 100  # records that are looked at to choose among paths


def choose_path(root: Any, source: Source, aliases: Aliases) -> RecordPath | None:
    """Choose the path with records; of an empty document the first that leads somewhere.

    Returns:
        None when the records are in the source's list at the root, or at none of the paths.

    Raises:
        DocumentInvalid: records are at two paths, or what is at a path are not records.
    """
    paths = aliases.record_paths(source)
    if not paths or root is None:
        return None
    own = source.entry.list_field
    own_names = {own} | {alias for alias, name in aliases.at(source, "") if name == own}
    owned = root.keys() & own_names if isinstance(root, dict) else set()
    if any(root[name] for name in owned):
        return None
    at = {path: list(islice(records_at(root, path), _SAMPLE)) for path in paths}
    if looks_like_record(root, source, aliases):
        at |= {path: [root] for path in paths if path.steps == (EACH,)}
    filled = [path for path, rows in at.items() if rows]
    good = [
        path for path in filled if any(looks_like_record(row, source, aliases) for row in at[path])
    ]
    for path in filled if not good else ():
        known = root_fields_of(source, aliases).keys()
        _refuse_documents(path, at[path], known, suggest(root, source, aliases))
    chosen = good or filled
    if len(chosen) > 1:
        raise DocumentInvalid(
            ErrorCode.AMBIGUOUS_FIELD,
            f"records are at {chosen[0]} and at {chosen[1]}; send only one of them",
        )
    empty = (path for path in paths if not owned and leads_into(path, root))
    return chosen[0] if chosen else next(empty, None)


def _refuse_documents(
    path: RecordPath, rows: list[Any], root_fields: AbstractSet[str], hint: str | None
) -> None:
    """Believe the alias file that these are records, unless they are rather documents."""
    objects = [row for row in rows if isinstance(row, dict)]
    for row in objects:
        refuse_error_answer(row)
    names = {name for row in objects for name in row}
    if hint or (objects and names <= root_fields):
        raise DocumentInvalid(
            ErrorCode.SCHEMA_INVALID,
            f"what is at {path} does not look like records; "
            f"{hint or 'correct [records] in the alias file'}",
        )


def root_fields_of(source: Source, aliases: Aliases) -> dict[str, str]:
    """Return the root field that each of its names means."""
    fields = {name: name for name in RootFields.model_fields}
    return fields | {alias: name for alias, name in aliases.at(source, "") if name in fields}
