"""From a document's bytes to Python values: encoding and JSON.

What the strict, fast parser refuses goes to a slow one that tells a broken document from one with
values that cannot be stored. Numbers keep their digits: int or Decimal, never float.
"""

import codecs
import json
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

import jiter

from consumer.decoding.storable import MAX_DEPTH, is_too_deep, object_from_pairs
from consumer.errors import Permanent
from schemas.codes import ErrorCode
from schemas.fields import MAX_DIGITS_AFTER_POINT, MAX_DIGITS_BEFORE_POINT
from schemas.file_kinds import file_kind

_ESCAPED_NUL = b"\\u0000"
# A number of more digits than a numeric column takes, once every digit is written as 0 and what
# may stand before a number as a colon. Exponents are looked for where rows are written.
_DIGITS_ALIKE = bytes.maketrans(b"123456789 \t\r\n,[-", b"000000000:::::::")
_LONG_NUMBER = b":" + b"0" * (MAX_DIGITS_BEFORE_POINT + 1)
_LONG_FRACTION = b"." + b"0" * (MAX_DIGITS_AFTER_POINT + 1)
_TOO_DEEP = f"nested deeper than {MAX_DEPTH} levels"
_INT_DIGITS = 4000  # below CPython's limit for conversions between int and text


@dataclass(frozen=True, slots=True)
class Decoded:
    """A parsed document; `suspicious` ones may hold values that cannot be stored as they are."""

    root: Any
    suspicious: bool


class JsonLines(list[Any]):
    """The values of a document that is one JSON value a line (NDJSON), two or more."""


def decode(data: bytes) -> Decoded:
    """Parse one document; NDJSON becomes `JsonLines`.

    Raises:
        Permanent: `encoding_invalid` when it is not UTF-8, `json_malformed` when it is not JSON,
            is empty or nested deeper than 201 levels; the message names line and column.
    """
    data = data.removeprefix(codecs.BOM_UTF8)
    try:
        return _decode_value(data)
    except Permanent as error:
        if lines := _decode_lines(data):
            return lines
        if kind := file_kind(data):
            raise Permanent(kind.code, kind.message) from error
        raise


def _decode_value(data: bytes) -> Decoded:
    try:
        root = jiter.from_json(
            data, float_mode="decimal", catch_duplicate_keys=True, allow_inf_nan=False
        )
    except ValueError as error:
        if "recursion limit" in str(error):
            raise malformed(f"{_TOO_DEEP}: {error}") from error
        return Decoded(_decode_slowly(data), suspicious=True)
    return Decoded(root, suspicious=_ESCAPED_NUL in data or _has_long_number(data))


def _decode_lines(data: bytes) -> Decoded | None:
    """Parse each line by itself; None when the first two are not JSON, so this is no NDJSON."""
    lines = [(number, line) for number, line in enumerate(data.splitlines(), 1) if line.strip()]
    decoded: list[Decoded] = []
    for number, line in lines if len(lines) > 1 else ():
        try:
            decoded.append(_decode_value(line))
        except Permanent as error:
            if len(decoded) < 2:
                return None
            raise Permanent(error.code, f"line {number} of NDJSON: {error}") from error
    if not decoded:
        return None
    return Decoded(JsonLines(one.root for one in decoded), any(one.suspicious for one in decoded))


def _has_long_number(data: bytes) -> bool:
    alike = data.translate(_DIGITS_ALIKE)
    return _LONG_NUMBER in alike or _LONG_FRACTION in alike


def _decode_slowly(data: bytes) -> Any:
    text = _text(data)
    try:
        root = json.loads(
            text,
            parse_float=_parse_float,
            parse_int=_parse_int,
            parse_constant=Decimal,
            object_pairs_hook=object_from_pairs,
        )
    except json.JSONDecodeError as error:
        near = text[max(0, error.pos - 20) : error.pos + 20]
        raise malformed(
            f"{error.msg}: line {error.lineno} column {error.colno} (character "
            f"{error.pos} of {len(text)}), near {near!r}"
        ) from error
    except RecursionError as error:
        raise malformed(_TOO_DEEP) from error
    if is_too_deep(root):
        raise malformed(_TOO_DEEP)
    return root


def _text(data: bytes) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Permanent(
            ErrorCode.ENCODING_INVALID,
            f"not UTF-8: byte 0x{data[error.start]:02x} at offset {error.start}; export it again "
            "as UTF-8, not as UTF-16 or Latin-1",
        ) from error


def _parse_int(digits: str) -> int | Decimal:
    return int(digits) if len(digits) < _INT_DIGITS else Decimal(digits)


def _parse_float(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        # An exponent beyond 10^18: no database holds it, so its record is set aside as this.
        return Decimal("Infinity")


def malformed(message: str) -> Permanent:
    """Return the error of a document that is not JSON."""
    return Permanent(ErrorCode.JSON_MALFORMED, f"{message}; fix the document and upload it again")
