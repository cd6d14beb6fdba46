"""Where a document's records are by a record path, or else where they seem to be.

The latter is looked for only in documents that are refused. A hint is given when one list, or the
document itself, looks like records and nothing else does; a wrong hint costs more than none.
"""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from consumer.drift.json_types import ROOT_LEVEL
from consumer.drift.renames import records_remedy, remedy
from schemas.aliases import Aliases
from schemas.record_paths import EACH, RecordPath
from schemas.registry import RootFields, Source

_MAX_DEPTH = 5
_MAX_NAMES = 100  # of one object
_SAMPLE = 5  # elements of one list


def records_at(root: Any, path: RecordPath) -> Iterator[Any]:
    """Yield what is at a record path, passing over what is not as the path says."""
    values: Iterable[Any] = [root]
    for step in path.steps:
        values = _inside(values, step)
    yield from values


def _inside(values: Iterable[Any], step: str) -> Iterator[Any]:
    for value in values:
        if step == EACH:
            yield from value if isinstance(value, list) else ()
        elif isinstance(value, dict):
            yield value.get(step)


def leads_into(path: RecordPath, root: Any) -> bool:
    """Say whether a document without records has the envelope of a path: it is an empty day."""
    value = root
    for step in path.steps:
        if step == EACH:
            return value is None or isinstance(value, list)
        if not isinstance(value, dict) or (value is root and step not in value):
            return False
        value = value.get(step)
    return True


def looks_like_record(value: Any, source: Source, aliases: Aliases) -> bool:
    """Say whether a decoded value has a source's id, or two fields or more and most of them known.

    Store, day and time beside them do not count: they may stand in every record of a list.
    """
    entry = source.entry
    if not isinstance(value, dict):
        return False
    canonical = dict(aliases.at(source, entry.list_field))
    names = {canonical.get(name, name) for name in value}
    names -= RootFields.model_fields.keys() | dict(aliases.at(source, "")).keys()
    common = len(names & entry.model.model_fields.keys())
    return entry.id_field in names or (common >= 2 and 2 * common >= len(names))


def suggest(root: Any, source: Source, aliases: Aliases) -> str | None:
    """Say where a refused document's records are and which line lets them load, if that is clear.

    Args:
        root: The decoded document; a list for NDJSON.
        source: The source that its key names.
        aliases: The renames in force.
    """
    if looks_like_record(root, source, aliases):
        return records_remedy(source, EACH)
    found = dict.fromkeys(islice(_record_lists(root, source, aliases), 2 * _MAX_NAMES))
    if len(found) != 1:
        return None
    [steps], own = found, source.entry.list_field
    if len(steps) == 2 and steps[0] != EACH:
        return (
            f"its records seem to be in {steps[0]!r}: {remedy(source, ROOT_LEVEL, steps[0], own)}"
        )
    path = ".".join(steps).replace(f".{EACH}", EACH)
    return f"its records seem to be at {path}: {records_remedy(source, path)}"


def _record_lists(
    value: Any, source: Source, aliases: Aliases, steps: tuple[str, ...] = ()
) -> Iterator[tuple[str, ...]]:
    """Yield the steps to each list of records, not looking into records."""
    if len(steps) > _MAX_DEPTH:
        return
    inner: Iterable[tuple[str, Any]] = ()
    if isinstance(value, dict):
        names = islice(value, _MAX_NAMES)
        inner = ((name, value[name]) for name in names if not set(name) & set(".[]"))
    elif isinstance(value, list) and steps[-1:] != (EACH,):
        sample = value[:_SAMPLE]
        is_named_so = steps[-1:] == (source.entry.list_field,)
        if (sample or is_named_so) and all(
            looks_like_record(item, source, aliases) for item in sample
        ):
            yield (*steps, EACH)
            return
        inner = ((EACH, item) for item in sample)
    for step, child in inner:
        yield from _record_lists(child, source, aliases, (*steps, step))
