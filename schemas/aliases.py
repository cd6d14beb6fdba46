"""Renamed fields and moved records: what the alias file says, and how two names resolve."""

import hashlib
import tomllib
from collections.abc import Iterator, Mapping
from functools import cache, cached_property
from importlib.resources import files
from typing import Any, NamedTuple

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

_RECORDS = "records"  # the section of record paths


class AliasesInvalid(ValueError):
    """An alias file is not of the documented form; the message names file, place and remedy."""


class AmbiguousField(ValueError):
    """Two names of one field are both filled, with different values."""

    def __init__(self, canonical: str, alias: str) -> None:
        super().__init__(
            f"both {canonical!r} and its other name {alias!r} are filled, with different values"
        )
        self.canonical = canonical


class Aliases:
    """The renames and record paths in force, looked up by source and level.

    A level is the dotted canonical path of the object that holds the field: `""` is the root,
    `guestChecks` one check, `guestChecks.detailLines` one line.
    """

    def __init__(
        self,
        by_level: Mapping[tuple[Source, str], Renames],
        record_paths: Mapping[Source, tuple[RecordPath, ...]],
    ) -> None:
        self._by_level = dict(by_level)
        self._record_paths = dict(record_paths)

    def at(self, source: Source, level: str) -> Renames:
        """Return the (alias, canonical) pairs for the fields of one level."""
        return self._by_level.get((source, level), ())

    def record_paths(self, source: Source) -> tuple[RecordPath, ...]:
        """Return where a source's records may be, besides its list at the root."""
        return self._record_paths.get(source, ())

    @cached_property
    def fingerprint(self) -> str:
        """What tells these renames and paths from any others: the same in every process."""
        rows: list[tuple[str, ...]] = sorted(
            (*level, *pair) for level, pairs in self._by_level.items() for pair in pairs
        )
        rows += sorted(
            (source, _RECORDS, *map(str, paths)) for source, paths in self._record_paths.items()
        )
        return hashlib.sha256(repr(rows).encode()).hexdigest()[:16]

    def paths(self) -> Iterator[tuple[Source, str]]:
        """Give the canonical path of every renamed field."""
        for (source, level), renames in self._by_level.items():
            yield from ((source, f"{level}.{name}" if level else name) for _, name in renames)


def apply_renames(record: dict[str, Any], renames: Renames) -> None:
    """Give the fields of `record` their canonical names, in place.

    When both names are there and one is empty or null, the filled one is taken; equal values
    are one value.

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
            ambiguous.append(AmbiguousField(canonical, alias))
    if ambiguous:
        raise ambiguous[0]


def _is_empty(value: Any) -> bool:
    return value is None or value in ("", [], {})


def load_aliases(extra_toml: str | None = None, extra_name: str = "SCHEMA_ALIASES_FILE") -> Aliases:
    """Read the shipped aliases and add those of `extra_toml`, the text of a file of that form.

    Raises:
        AliasesInvalid: a section is no source, a path or a name is not text, one name stands
            for two fields of the same level, or is the other name of one and itself has some, or
            a record path cannot be one.
    """
    lines = list(_shipped())
    if extra_toml is not None:
        lines += _parse(extra_toml, extra_name)
    by_level: dict[tuple[Source, str], dict[str, str]] = {}
    record_paths: dict[Source, tuple[RecordPath, ...]] = {}
    for source, line in [(source, read) for read in lines for source in read.sources]:
        if line.section == _RECORDS:
            record_paths[source] = (*record_paths.get(source, ()), *_record_paths(line))
        else:
            _add_names(by_level, source, line)
    _refuse_chains(by_level, extra_name)
    return Aliases({level: tuple(names.items()) for level, names in by_level.items()}, record_paths)


class _Line(NamedTuple):
    """One line of an alias file."""

    file: str
    section: str
    key: str
    values: list[str]

    @property
    def sources(self) -> tuple[Source, ...]:
        """The sources it is about, as its section says, or the key in the section of paths."""
        return _SECTIONS[self.key if self.section == _RECORDS else self.section]


@cache
def _shipped() -> tuple[_Line, ...]:
    text = files("schemas").joinpath("aliases.toml").read_text(encoding="utf-8")
    return tuple(_parse(text, "schemas/aliases.toml"))


def _parse(text: str, file: str) -> Iterator[_Line]:
    try:
        sections = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise AliasesInvalid(f"{file} is not TOML: {error}") from error
    for section, lines in sections.items():
        if not isinstance(lines, dict):
            raise AliasesInvalid(f"{file}: {section!r} must be a section like [getGuestChecks]")
        example = '["payload.data[]"]' if section == _RECORDS else '["taxation"]'
        for key, values in lines.items():
            source = key if section == _RECORDS else section
            if source not in _SECTIONS:
                known = ", ".join(Source)
                raise AliasesInvalid(f"{file}: [{source}] is no source; use one of {known} or '*'")
            if not isinstance(values, list) or not all(isinstance(text, str) for text in values):
                raise AliasesInvalid(f"{file}: [{section}] {key} must be a list like {example}")
            yield _Line(file, section, key, values)


def _add_names(
    by_level: dict[tuple[Source, str], dict[str, str]], source: Source, line: _Line
) -> None:
    level, _, canonical = line.key.rpartition(".")
    names = by_level.setdefault((source, level), {})
    for alias in line.values:
        if names.setdefault(alias, canonical) != canonical:
            raise AliasesInvalid(
                f"{line.file}: [{source}] gives {alias!r} to both {names[alias]!r} and "
                f"{canonical!r} of level {level or 'root'!r}; keep one of the two lines"
            )


def _refuse_chains(by_level: dict[tuple[Source, str], dict[str, str]], file: str) -> None:
    for (source, level), names in by_level.items():
        if chained := names.keys() & names.values():
            canonical = min(chained)
            raise AliasesInvalid(
                f"{file}: [{source}] gives other names to {canonical!r} of level "
                f"{level or 'root'!r}, which is itself another name of {names[canonical]!r}; "
                "give them all to that one"
            )


def _record_paths(line: _Line) -> Iterator[RecordPath]:
    for text in line.values:
        try:
            yield RecordPath.of(text)
        except ValueError as error:
            raise AliasesInvalid(f"{line.file}: [{_RECORDS}] {line.key}: {error}") from error
