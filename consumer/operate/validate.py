"""`consumer validate`: what would happen to documents, told without servers.

The verdict is that of the consumer itself: routing, parsing, record paths, contracts and staging
are the same code. Only what the tables hold already is not looked at.
"""

import sys
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from io import BytesIO
from itertools import zip_longest
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer

from consumer.decoding.gunzip import PlainReader
from consumer.drift.findings import RENAMED, RETYPED, UNKNOWN, Finding
from consumer.drift.renames import read_aliases
from consumer.errors import Permanent
from consumer.ingest.assembly import Prepared
from consumer.ingest.prepare import Fetched, prepare
from consumer.ingest.routing import route
from consumer.load.document import Identity
from consumer.settings import DocumentSettings
from runtime.errors import EXIT_FAILED, SettingsInvalid
from runtime.terminal import AsJson, print_json, printable, reported_errors, settings_of
from schemas.aliases import Aliases
from schemas.envelopes import ObjectEvent
from schemas.key_templates import TemplateKey
from schemas.layouts import DocumentKey, Layout
from schemas.registry import Source

LOAD, QUARANTINE, REFUSE = "load", "quarantine", "refuse"
_STDIN = Path("-")
_BUCKET = "lake"
_PEEK_BYTES = 1 << 20
_SHOWN_RECORDS = 20
_RECORD_REMEDY = "correct it where it comes from, or name the field it came under in the alias file"


def validate(
    files: Annotated[
        list[Path],
        typer.Argument(metavar="FILE", help="Documents, gzipped or not; - for stdin."),
    ],
    *,
    as_: Annotated[
        str | None,
        typer.Option(
            "--as",
            metavar="ENDPOINT",
            help="The endpoint they are answers of, or erp. Default: what the key in a file's path "
            "says, else the list in the document, else the endpoint in its name, else erp.",
        ),
    ] = None,
    keys: Annotated[
        list[str] | None,
        typer.Option("--key", metavar="KEY", help="The key each would get in the lake, in order."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Tell what would happen to documents, without servers or settings.

    Exit code 0: all would be loaded whole; 1: something would be quarantined or refused.
    """
    settings = settings_of(DocumentSettings)
    with reported_errors():
        aliases, source = read_aliases(settings.schema_aliases_file), _source_named(as_)
        if keys and len(keys) != len(files):
            raise SettingsInvalid(f"{len(files)} files and {len(keys)} keys; give one for each")
        told = [
            _examine(_File(path, source, key), settings, aliases)
            for path, key in zip_longest(files, keys or ())
        ]
    if as_json:
        print_json(told, indent=2)
    else:
        typer.echo("\n".join(printable(line) for verdict in told for line in _lines(verdict)))
    if any(verdict["verdict"] != LOAD for verdict in told):
        raise typer.Exit(EXIT_FAILED)


class _File(NamedTuple):
    """A file, and what is said about it: its source, or the key it would get."""

    path: Path
    source: Source | None
    key: str | None


def _source_named(text: str | None) -> Source | None:
    try:
        return None if text is None else Source(text)
    except ValueError:
        known = ", ".join(Source)
        raise SettingsInvalid(f"--as {text!r} is no endpoint; use one of {known}") from None


def _examine(file: _File, settings: DocumentSettings, aliases: Aliases) -> dict[str, Any]:
    """Return what would happen to one file, ready for JSON."""
    path = file.path
    try:
        data = sys.stdin.buffer.read() if path == _STDIN else path.read_bytes()
    except OSError as error:
        raise SettingsInvalid(f"cannot read {path}: {error.strerror}") from error
    told: dict[str, Any] = {"file": str(path)}
    now = datetime.now(UTC)
    try:
        event, source, key = _route(file, data, settings)
        told |= {"key": event.key or None, "source": source}
        fetched = Fetched(Identity(event, None, "", now, now, 1), source, key, data)
        prepared = prepare(fetched, aliases, settings.max_decompressed_bytes)
    except Permanent as error:
        return told | _refused(error)
    return told | _prepared(prepared)


def _route(
    file: _File, data: bytes, settings: DocumentSettings
) -> tuple[ObjectEvent, Source, DocumentKey]:
    """Return the event that would announce a file, its source, and the identity in its key."""
    key = file.key or _key_in(file.path, settings.layout)
    event = ObjectEvent(_BUCKET, key or "", "ObjectCreated:Put", size_bytes=len(data))
    if key is not None:
        source, identity = route(event, (_BUCKET,), settings.max_object_bytes, settings.layout)
        if file.source in (None, source):
            return event, source, identity
    source = file.source or _guessed(file.path.name, data, settings.max_decompressed_bytes)
    return event, source, TemplateKey(source, None, None)


def _key_in(path: Path, layout: Layout) -> str | None:
    """Return the lake key that a file's path ends in, if it does."""
    parts = path.absolute().parts[1:]
    keys = ("/".join(parts[number:]) for number in range(len(parts) - 1))
    return next((key for key in keys if layout.read(key) is not None), None)


def _guessed(name: str, data: bytes, max_bytes: int) -> Source:
    """Return the source whose list a document seems to have, or that its name holds, or erp."""
    head = PlainReader(BytesIO(data), max_bytes).read(_PEEK_BYTES)
    lists = (source for source in Source if f'"{source.entry.list_field}"'.encode() in head)
    names = (source for source in Source if source in name and source is not Source.ERP)
    return next((source for found in (lists, names) for source in found), Source.ERP)


def _refused(error: Permanent) -> dict[str, Any]:
    return {
        "verdict": REFUSE,
        "error_code": error.code,
        "error": str(error),
        "errors": [asdict(found) for found in error.errors],
        "suggestions": _suggestions(error.findings or ()),
    }


def _prepared(prepared: Prepared) -> dict[str, Any]:
    document = prepared.document
    frame, bad = document.frame, document.quarantined_count
    return {
        "verdict": QUARANTINE if bad else LOAD,
        "store_id": frame.store_id,
        "bus_dt": frame.bus_dt.isoformat() if frame.bus_dt else None,
        "records": document.record_count,
        "quarantined": bad,
        "bad_records": [
            {
                "path": record.path,
                "id": record.record_id,
                "error_code": record.code,
                "field": problem.location,
                "value": problem.value,
                "rule": problem.message,
                "remedy": _RECORD_REMEDY,
            }
            for record in prepared.quarantined
            for problem in record.errors
        ],
        "suggestions": _suggestions(document.drift.findings),
        "kept_in_extra": [
            {"path": found.path, "times": found.occurrences}
            for found in document.drift.findings
            if found.kind == UNKNOWN
        ],
        "retyped": [
            {"path": found.path, "times": found.occurrences, "rule": found.detail}
            for found in document.drift.findings
            if found.kind == RETYPED
        ],
    }


def _suggestions(findings: tuple[Finding, ...]) -> list[str]:
    return [found.detail for found in findings if found.kind == RENAMED and found.detail]


def _lines(told: dict[str, Any]) -> Iterator[str]:
    """Write a verdict for people."""
    if told["verdict"] == REFUSE:
        source = f" as {told['source']}" if "source" in told else ""
        yield f"{told['file']}: would be refused{source}, {told['error_code']}: {told['error']}"
        yield from _written(line for line in told["suggestions"] if line not in told["error"])
        if told.get("key") is None and "the key names no" in told["error"]:
            yield "  no key is known, with its store and day: --key names the key it would get"
        return
    day = f", day {told['bus_dt']}" if told["bus_dt"] else ""
    yield (
        f"{told['file']}: {told['records']} of {told['records'] + told['quarantined']} records of "
        f"{told['source']} would be loaded (store {told['store_id']!r}{day})"
    )
    bad = told["bad_records"]
    for record in bad[:_SHOWN_RECORDS]:
        value = f" = {record['value']}" if record["value"] else ""
        yield (
            f"  {record['path']} (id {record['id']}): {record['field']}{value}: {record['rule']}"
        )
    if len(bad) > _SHOWN_RECORDS:
        yield f"  and {len(bad) - _SHOWN_RECORDS} more: --json lists them"
    if bad:
        yield f"  what helps: {_RECORD_REMEDY}"
    yield from _written(told["suggestions"])
    for found in told["kept_in_extra"]:
        yield f"  unknown, kept in extra: {found['path']} ({found['times']} times)"
    for found in told["retyped"]:
        yield f"  retyped: {found['path']} ({found['times']} times): {found['rule']}"


def _written(suggestions: Iterable[str]) -> Iterator[str]:
    return (f"  suspected rename: {line}" for line in suggestions)
