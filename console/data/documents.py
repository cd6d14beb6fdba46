"""Documents and error logs from the lake, cut to what a page can show."""

import gzip
import json
import zlib
from dataclasses import dataclass, field
from typing import Any

from consumer.aws.s3 import Lake, Larger, Outdated, ReadLimits
from consumer.errors import ConsumerError
from consumer.spool import Spool
from schemas.envelopes import ObjectEvent

_MOST_BYTES = 4 * 2**20  # of a document, and of an error log
_LINES = 40
_LINE_CHARACTERS = 300
_RECORDS = 5
_BEFORE = 3  # lines shown before a bad one


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a document as it is shown; `is_bad` marks what is wrong."""

    text: str
    is_bad: bool = False
    is_heading: bool = False


@dataclass(frozen=True, slots=True)
class Problem:
    """What an error log says of one value."""

    path: str
    record_id: str
    location: str
    message: str
    value: str


@dataclass(frozen=True, slots=True)
class Excerpt:
    """What is shown of a failed document; `note` says what could not be."""

    lines: list[Line] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    total: int = 0
    note: str = ""


async def read_excerpt(lake: Lake, event: ObjectEvent | None, log_key: str) -> Excerpt:
    """Read a document and its error log; raises Transient when S3 does not answer."""
    log, note = await _log(lake, log_key)
    problems = _problems(log)
    total = max(int(log.get("records_total") or 0), len({one.path for one in problems}))
    if event is None:
        body = str(log.get("body") or "")
        return Excerpt([Line(text) for text in _cut(body.splitlines())], problems, total, note)
    data, why = await _document(lake, event)
    lines = document_lines(data, problems) if data else []
    return Excerpt(lines, problems, total, "; ".join(filter(None, (note, why))))


async def _log(lake: Lake, key: str) -> tuple[dict[str, Any], str]:
    try:
        data = await lake.read_log(key)
        if len(data) > 2 * _MOST_BYTES:
            return {}, "the error log is too large to be shown"
        log = json.loads(data)
        return (log, "") if isinstance(log, dict) else ({}, "the error log is none")
    except ValueError as error:
        return {}, f"the error log cannot be read: {error}"
    except ConsumerError as error:
        if error.code == "object_missing":
            return {}, "the error log is not there any more"
        raise


async def _document(lake: Lake, event: ObjectEvent) -> tuple[bytes, str]:
    limits = ReadLimits(_MOST_BYTES, 64 * _MOST_BYTES, 64 * _MOST_BYTES)
    try:
        stored = await lake.fetch(event, limits)
    except (Larger, Outdated) as error:
        return b"", f"the document is not shown: {error}"
    except ConsumerError as error:
        if error.code in ("object_missing", "object_too_large", "object_archived"):
            return b"", f"the document is not shown: {error}"
        raise
    if isinstance(stored.data, Spool):
        return b"", "the document is not shown: it is too large"
    return _unpacked(stored.data)


def _unpacked(data: bytes) -> tuple[bytes, str]:
    """Return a document, gunzipped up to the limit."""
    if data[:2] != b"\x1f\x8b":
        return data, ""
    try:
        decompressor = zlib.decompressobj(wbits=31)
        text = decompressor.decompress(data, _MOST_BYTES)
    except (zlib.error, gzip.BadGzipFile) as error:
        return b"", f"the document cannot be gunzipped: {error}"
    note = "" if decompressor.eof else "only the document's beginning was gunzipped"
    return text, note


def document_lines(data: bytes, problems: list[Problem]) -> list[Line]:
    """Return what is shown of a document, whatever it is. Pure."""
    found = _lines_around(data, problems)
    return [Line(_showable(line.text), line.is_bad, line.is_heading) for line in found]


def _showable(text: str) -> str:
    """Replace lone surrogates, which JSON may escape and no page can hold."""
    return text.encode(errors="replace").decode()


def _lines_around(data: bytes, problems: list[Problem]) -> list[Line]:
    """Return the lines around what is wrong, each bad one marked.

    Of bad records these are their fields; of what is no JSON, the text where it breaks; else the
    document's beginning.
    """
    text = data.decode(errors="replace")
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        at = getattr(error, "pos", 0)
        before = _cut(text[max(0, at - 600) : at].splitlines()[-_BEFORE:] or [""])
        after = _cut(text[at : at + _LINE_CHARACTERS].splitlines()[:_BEFORE])
        return [
            *(Line(line) for line in before),
            Line(f"← the document breaks here: {error}", is_bad=True),
            *(Line(line) for line in after),
        ]
    lines: list[Line] = []
    for path in list(dict.fromkeys(one.path for one in problems if one.path))[:_RECORDS]:
        record = _at(document, path)
        if record is not None:
            lines += _record_lines(path, record, {p.location for p in problems if p.path == path})
    if lines:
        return lines
    whole = json.dumps(document, indent=2, ensure_ascii=False).splitlines()
    bad = {one.location for one in problems}
    marked = [Line(line, _names(line, bad)) for line in _cut(whole)]
    return marked + ([Line("…")] if len(whole) > _LINES else [])


def _record_lines(path: str, record: Any, locations: set[str]) -> list[Line]:
    """Return a record, its lists and objects left out unless something in them is bad."""
    heading = Line(path, is_heading=True)
    if not isinstance(record, dict):
        return [heading, Line(json.dumps(record, ensure_ascii=False)[:_LINE_CHARACTERS], True)]
    heads = {location.split(".")[0].split("[")[0] for location in locations}
    kept = {
        name: value if name in heads or not isinstance(value, list | dict) else "…"
        for name, value in record.items()
    }
    text = json.dumps(kept, indent=2, ensure_ascii=False).splitlines()
    lasts = {location.split(".")[-1].split("[")[0] for location in locations}
    lines = [Line(line, _names(line, lasts)) for line in _cut(text)]
    lines += [Line(f'  "{name}" is not there', True) for name in sorted(heads - set(record))]
    return [heading, *lines]


def _names(line: str, names: set[str]) -> bool:
    return any(name and line.lstrip().startswith(f'"{name}":') for name in names)


def _at(document: Any, path: str) -> Any:
    """Return what is at a path such as `guestChecks[3]`; None if nothing is."""
    found = document
    for step in path.replace("]", "").replace("[", ".").split("."):
        try:
            found = found[int(step)] if isinstance(found, list) else found[step]
        except (KeyError, IndexError, TypeError, ValueError):
            return None
    return found


def _problems(log: dict[str, Any]) -> list[Problem]:
    """Return what a log says, whatever stands in it."""
    records = [one for one in _list(log.get("records")) if isinstance(one, dict)]
    found = [
        _problem(error, str(record.get("path") or ""), str(record.get("record_id") or ""))
        for record in records[:50]
        for error in _list(record.get("errors"))[:20]
    ]
    return found or [_problem(error, "", "") for error in _list(log.get("errors"))[:50]]


def _problem(error: Any, path: str, record_id: str) -> Problem:
    told = error if isinstance(error, dict) else {}
    location, message, value = (
        _showable(str(told.get(name) or "")[:_LINE_CHARACTERS])
        for name in ("location", "message", "value")
    )
    return Problem(_showable(path), _showable(record_id), location, message, value)


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _cut(lines: list[str]) -> list[str]:
    return [line[:_LINE_CHARACTERS] for line in lines[:_LINES]]
