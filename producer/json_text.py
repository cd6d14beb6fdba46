"""Whether bytes are a JSON text, and if not, at which line and column.

A quick parser takes what is ordinary. What it does not is for the standard library's to judge,
which takes eight times as long and names the place. Both give the same verdicts.
"""

import codecs
import json
from typing import Any

import msgspec

from schemas.paging import FIELDS_OF_GROUPS, is_paging_field

#: A check's business dates of opening and closing.
CHECK_DAYS = ("opnBusDt", "clsdBusDt")
_KEPT = FIELDS_OF_GROUPS | {"message", "title", "detail", *CHECK_DAYS}
_FILLED = {"": None}
_PIECE_BYTES = 1 << 16
_DOCUMENT = msgspec.json.Decoder(dict[str, msgspec.Raw])
_RECORDS = msgspec.json.Decoder(
    list[msgspec.defstruct("Record", [(name, Any, msgspec.UNSET) for name in CHECK_DAYS])]  # type: ignore[misc]  # made here
)


class NotJson(ValueError):
    """Bytes that are not a JSON text; the message says where."""


def parse_json(body: bytes) -> Any:
    """Parse a UTF-8 JSON text and return its outermost value; NaN and the like pass.

    Of the objects inside only what we read is kept, of records their days, and numbers stay text:
    a day of 50,000 checks would fill a gigabyte otherwise. Raises NotJson, also for nothing at all.
    """
    try:
        return _parse_quickly(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return parse_exactly(body)


def _parse_quickly(body: bytes) -> dict[str, Any]:
    """Parse an object without repeated looks at its records.

    Raises:
        msgspec.MsgspecError, UnicodeDecodeError, RecursionError: it is no object, or odd.
    """
    _check_utf8(body)  # the parser does not look into texts that it passes over
    found: dict[str, Any] = _DOCUMENT.decode(body)
    others = []
    for name, value in found.items():
        if memoryview(value)[0] == ord("[") and not is_paging_field(name):
            found[name] = [_kept(record) for record in _RECORDS.decode(value)]
        else:
            others.append(name)
    # Inside of a list, as deep as in the document
    values = parse_exactly(b"[%b]" % b",".join([found[name] for name in others]))
    return found | dict(zip(others, values, strict=True))


def _check_utf8(body: bytes) -> None:
    """Raise UnicodeDecodeError unless it is UTF-8; piece by piece is eight times as fast."""
    decode, view = codecs.getincrementaldecoder("utf-8")().decode, memoryview(body)
    for start in range(0, len(body), _PIECE_BYTES):
        decode(view[start : start + _PIECE_BYTES])
    decode(b"", final=True)


def _kept(record: Any) -> dict[str, Any]:
    days = {name: day for name in CHECK_DAYS if (day := getattr(record, name)) is not msgspec.UNSET}
    return days or _FILLED


def parse_exactly(body: bytes) -> Any:
    """Parse as `parse_json` does, by the standard library alone."""
    if not body.strip():
        raise NotJson("it is empty")
    outermost: list[tuple[str, Any]] = []

    def keep_little(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        nonlocal outermost
        outermost = pairs  # the outermost object ends last
        kept = {name: value for name, value in pairs if name in _KEPT}
        return kept or (_FILLED if pairs else {})

    try:
        value = json.loads(
            body.decode("utf-8-sig"),
            parse_int=str,
            parse_float=str,
            object_pairs_hook=keep_little,
        )
    except UnicodeDecodeError as error:
        line = body.count(b"\n", 0, error.start) + 1
        raise NotJson(f"it is not UTF-8 (line {line}, byte {error.start})") from error
    except json.JSONDecodeError as error:
        raise NotJson(
            f"it is not JSON: {error.msg[:1].lower()}{error.msg[1:].removesuffix(' at')} at line "
            f"{error.lineno}, column {error.colno}"
        ) from error
    except RecursionError as error:
        raise NotJson("it is nested too deeply") from error
    return dict(outermost) if isinstance(value, dict) else value
