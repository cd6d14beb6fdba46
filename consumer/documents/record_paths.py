"""Documents whose records are elsewhere than in their source's list at the root.

The alias file says where: see `schemas/aliases.toml`. Such a document is brought into the ordinary
form, so that all the rules for frames and records hold for it as for any other.
"""

from collections.abc import Iterator
from itertools import islice
from typing import Any

from consumer.documents.frames import DocumentInvalid
from consumer.documents.quarantine import Places
from consumer.documents.unwrapping import Unwrapping
from consumer.drift.record_lists import looks_like_record, suggest
from schemas.aliases import Aliases
from schemas.codes import ErrorCode
from schemas.keys import ApiKey, ErpKey
from schemas.record_paths import EACH, RecordPath
from schemas.registry import Source

_SAMPLE = 100  # records that are looked at to choose among paths


def unwrap(
    root: Any, source: Source, key: ApiKey | ErpKey, aliases: Aliases
) -> tuple[Any, Places | None]:
    """Bring a document whose records are at a record path into the ordinary form.

    Args:
        root: The decoded document. Its records are changed in place.
        source: The source that the object's key names.
        key: The identity in the object's key.
        aliases: The record paths in force, and the other names of the fields.

    Returns:
        The new root, and where its records were; the same root and None when its records are where
        they usually are, or at none of the paths.

    Raises:
        DocumentInvalid: what is at the path is not one document of this source.
    """
    path = _path_of(root, source, aliases)
    if path is None:
        return root, None
    return Unwrapping(path, source, key, aliases).unwrap(root)


def _path_of(root: Any, source: Source, aliases: Aliases) -> RecordPath | None:
    """Choose the path with records; of an empty document the first that leads somewhere."""
    paths = aliases.record_paths(source)
    if not paths or root is None:
        return None
    own = source.entry.list_field
    own_names = {own} | {alias for alias, name in aliases.at(source, "") if name == own}
    owned = root.keys() & own_names if isinstance(root, dict) else set()
    if any(root[name] for name in owned):
        return None
    at = {path: list(islice(_records_at(root, path.steps), _SAMPLE)) for path in paths}
    if isinstance(root, dict) and looks_like_record(root, source, aliases):
        at |= {path: [root] for path in paths if path.steps == (EACH,)}
    filled = [path for path in at if at[path]]
    good = [
        path for path in filled if any(looks_like_record(row, source, aliases) for row in at[path])
    ]
    if len(good) > 1:
        raise DocumentInvalid(
            ErrorCode.AMBIGUOUS_FIELD, f"records are at {good[0]} and at {good[1]}; send only one"
        )
    if filled and not good:
        hint = suggest(root, source, aliases) or "correct [records] in the alias file"
        raise DocumentInvalid(
            ErrorCode.SCHEMA_INVALID,
            f"what is at {filled[0]} does not look like records of {source}; {hint}",
        )
    empty = None if owned else next((path for path in paths if _leads_into(path, root)), None)
    return good[0] if good else empty


def _records_at(value: Any, steps: tuple[str, ...]) -> Iterator[Any]:
    """Yield what is at a path, passing over what is not as the path says."""
    if not steps:
        yield value
    elif steps[0] == EACH:
        for item in value if isinstance(value, list) else ():
            yield from _records_at(item, steps[1:])
    elif isinstance(value, dict):
        yield from _records_at(value.get(steps[0]), steps[1:])


def _leads_into(path: RecordPath, root: Any) -> bool:
    """Say whether a document without records has the envelope of a path: it is an empty day."""
    value = root
    for step in path.steps:
        if step == EACH:
            return value is None or isinstance(value, list)
        if not isinstance(value, dict) or (value is root and step not in value):
            return False
        value = value.get(step)
    return True
