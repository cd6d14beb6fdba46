"""Renamed fields and moved records: what the alias file says, and how two names resolve."""

import hashlib
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache, cached_property
from importlib.resources import files
from itertools import product
from typing import Any

from schemas.record_paths import RecordPath
from schemas.registry import Source

# (alias, canonical) pairs for one level of one source's documents
Renames = tuple[tuple[str, str], ...]

# Which sources a section of an alias file is about
_SECTIONS: dict[str, tuple[Source, ...]] = {
    **{source: (source,) for source in Source},
    Source.GUEST_CHECKS: (Source.GUEST_CHECKS, Source.ERP),
    "*": tuple(Source),
}
# The section whose lines are sources and their record paths; no field has such a path.
_RECORDS = "records"
_RECORDS_ROW = f"[{_RECORDS}]"
# A section and an entry of it on one line, which is how hints print them. TOML wants two lines.
_PASTED = re.compile(r"^[ \t]*(\[[^\[\]\n]+\])[ \t]+([^#\s].*)$", re.MULTILINE)


class AliasesInvalid(ValueError):
    """An alias file is not of the documented form."""


class AmbiguousField(ValueError):
    """Two names of one field are both filled, with different values."""

    def __init__(self, canonical: str, alias: str, values: tuple[Any, Any]) -> None:
        super().__init__(
            f"both {canonical!r} and its other name {alias!r} are filled, with different values"
        )
        self.canonical, self.values = canonical, values


class Aliases:
    """The renames and record paths in force, looked up by source and level.

    A level is the dotted canonical path of the object that holds the field: `""` is the root,
    `guestChecks` one check, `guestChecks.detailLines` one line.
    """

    def __init__(
        self,
        by_level: Mapping[tuple[Source, str], Renames],
        record_paths: Mapping[Source, Sequence[RecordPath]],
    ) -> None:
        self._by_level = dict(by_level)
        self._record_paths = dict(record_paths)

    def at(self, source: Source, level: str) -> Renames:
        """Return the (alias, canonical) pairs for the fields of one level."""
        return self._by_level.get((source, level), ())

    def record_paths(self, source: Source) -> Sequence[RecordPath]:
        """Return where a source's records may be, besides its list at the root."""
        return self._record_paths.get(source, ())

    @cached_property
    def fingerprint(self) -> str:
        """What tells these renames and paths from any others: the same in every process."""
        return _fingerprint(self._rows())

    def fingerprint_of(self, source: Source) -> str:
        """What tells the renames and paths of one source from any others."""
        return _fingerprint(row for row in self._rows() if row[0] == source)

    def _rows(self) -> Iterator[tuple[str, ...]]:
        for level, pairs in self._by_level.items():
            yield from ((*level, *pair) for pair in pairs)
        for name, at in self._record_paths.items():
            yield (name, _RECORDS_ROW, *map(str, at))

    def paths(self) -> Iterator[tuple[Source, str]]:
        """Give the canonical path of every renamed field."""
        for (source, level), renames in self._by_level.items():
            yield from ((source, f"{level}.{name}" if level else name) for _, name in renames)


def _fingerprint(rows: Iterable[tuple[str, ...]]) -> str:
    return hashlib.sha256(repr(sorted(rows)).encode()).hexdigest()[:16]


def apply_renames(record: dict[str, Any], renames: Renames) -> None:
    """Give the fields of `record` their canonical names, in place.

    When both names are there, the filled one is taken.

    Raises:
        AmbiguousField: both are filled and differ. All other fields are renamed.
    """
    ambiguous: list[AmbiguousField] = []
    for alias, canonical in renames:
        if alias not in record:
            continue
        value = record.pop(alias)
        known = record.get(canonical)
        if canonical not in record or _is_empty(known):
            record[canonical] = value if not _is_empty(value) else known or value
        elif not _is_empty(value) and value != known:
            ambiguous.append(AmbiguousField(canonical, alias, (known, value)))
    if ambiguous:
        raise ambiguous[0]


def _is_empty(value: Any) -> bool:
    return value is None or value in ("", [], {})


def load_aliases(extra_toml: str | None = None, extra_name: str = "SCHEMA_ALIASES_FILE") -> Aliases:
    """Read the shipped aliases and add those of `extra_toml`, the text of a file of that form.

    Raises:
        AliasesInvalid: it is not of that form, or does not say what one of its names stands for.
    """
    rows = list(_shipped())
    if extra_toml is not None:
        rows += _parse(extra_toml, extra_name)
    by_level: dict[tuple[Source, str], dict[str, str]] = {}
    record_paths: dict[Source, list[RecordPath]] = {}
    for source, path, alias in rows:
        if path == _RECORDS_ROW:
            record_paths.setdefault(source, []).append(RecordPath.of(alias))
            continue
        level, _, canonical = path.rpartition(".")
        names = by_level.setdefault((source, level), {})
        if names.setdefault(alias, canonical) != canonical:
            raise AliasesInvalid(
                f"{extra_name}: [{source}] gives {alias!r} to both {names[alias]!r} and "
                f"{canonical!r} of level {level or 'root'!r}; keep one of the two lines"
            )
    for (source, level), names in by_level.items():
        if chained := names.keys() & names.values():
            canonical = min(chained)
            raise AliasesInvalid(
                f"{extra_name}: [{source}] gives other names to {canonical!r} of level "
                f"{level or 'root'!r}, which is itself another name of {names[canonical]!r}; "
                "give them all to that one"
            )
    return Aliases({level: tuple(names.items()) for level, names in by_level.items()}, record_paths)


@cache
def _shipped() -> tuple[tuple[Source, str, str], ...]:
    text = files("schemas").joinpath("aliases.toml").read_text(encoding="utf-8")
    return tuple(_parse(text, "schemas/aliases.toml"))


def _parse(text: str, name: str) -> Iterator[tuple[Source, str, str]]:
    try:
        sections = _sections_of(text)
    except tomllib.TOMLDecodeError as error:
        raise AliasesInvalid(f"{name} is not TOML: {error}") from error
    for section, lines in sections.items():
        if not isinstance(lines, dict):
            raise AliasesInvalid(f"{name}: {section!r} must be a section like [getGuestChecks]")
        for path, values in lines.items():
            place = f"{name}: [{section}] {path}"
            if not isinstance(values, list) or not all(isinstance(text, str) for text in values):
                example = "payload.data[]" if section == _RECORDS else "taxation"
                raise AliasesInvalid(f'{place} must be a list like ["{example}"]')
            if section == _RECORDS:
                _check_record_paths(values, place)
                yield from product(_sources(path, name), [_RECORDS_ROW], values)
            else:
                yield from product(_sources(section, name), [path], values)


def _sections_of(text: str) -> dict[str, Any]:
    """Read TOML, and lines pasted from hints as they stand: several may name one section."""
    sections = tomllib.loads(_PASTED.sub("", text))
    for header, entry in _PASTED.findall(text):
        for section, lines in tomllib.loads(f"{header}\n{entry}").items():
            known = sections.setdefault(section, {})
            for path, values in lines.items() if isinstance(known, dict) else ():
                is_more = isinstance(values, list) and isinstance(known.get(path), list)
                known[path] = known[path] + values if is_more else values
    return sections


def _sources(section: str, name: str) -> tuple[Source, ...]:
    if section not in _SECTIONS:
        known = ", ".join(Source)
        raise AliasesInvalid(f"{name}: [{section}] is no source; use one of {known} or '*'")
    return _SECTIONS[section]


def _check_record_paths(texts: list[str], place: str) -> None:
    for text in texts:
        try:
            RecordPath.of(text)
        except ValueError as error:
            raise AliasesInvalid(f"{place}: {error}") from error
