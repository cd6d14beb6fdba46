"""What a file is that is not one JSON document, and how to send it.

Upload and consumer ask here about what a JSON parser refused, and so say the same.
"""

import codecs
import json
import re
from dataclasses import dataclass

from schemas.codes import ErrorCode

GZIP_MAGIC = b"\x1f\x8b"  # RFC 1952
HEAD_BYTES = 4096  # enough to tell a file's kind

_OFFICE_FILE = "an Excel or other Office file"
_UNPACK = "unpack it and upload the JSON files in it"
_EXPORT = "export the data as JSON"
_AGAIN = "export it again as UTF-8"
# Formats by their first bytes; https://www.garykessler.net/library/file_sigs.html lists them.
_MAGIC = (
    (b"PK", "a ZIP archive", _UNPACK),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", _UNPACK),
    (b"Rar!\x1a\x07", "a RAR archive", _UNPACK),
    (b"BZh", "packed with bzip2", _UNPACK),
    (b"\xfd7zXZ\0", "packed with xz", _UNPACK),
    (b"\x28\xb5\x2f\xfd", "packed with zstd", _UNPACK),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", _OFFICE_FILE, _EXPORT),
    (b"%PDF-", "a PDF", _EXPORT),
    (b"PAR1", "a Parquet file", _EXPORT),
    (b"Obj\x01", "an Avro file", _EXPORT),
)
_OFFICE = re.compile(rb"\[Content_Types\]\.xml|(?:xl|word|ppt)/")
_WIDE = (
    (codecs.BOM_UTF32_LE, "UTF-32"),
    (codecs.BOM_UTF32_BE, "UTF-32"),
    (codecs.BOM_UTF16_LE, "UTF-16"),
    (codecs.BOM_UTF16_BE, "UTF-16"),
)
_WIDE_WITHOUT_MARK = re.compile(rb"(?:[\t-~]\0){3}|(?:\0[\t-~]){3}")
_HTML = re.compile(rb"<(?:!doctype html|html|head|body)\b", re.IGNORECASE)
_SEPARATORS = (b",", b";", b"\t", b"|")
_OPENING = re.compile(r"[ \t\r\n]*+(?=[{\[])")


@dataclass(frozen=True, slots=True)
class FileKind:
    """What a file is; the message says how to send it instead."""

    message: str
    code: ErrorCode = ErrorCode.JSON_MALFORMED


def file_kind(data: bytes) -> FileKind | None:
    """Tell what `data` is, or None if it may be one JSON document, whole or broken."""
    if not data.removeprefix(codecs.BOM_UTF8).strip():
        return FileKind("the file is empty; export it again")
    if kind := kind_by_first_bytes(data[:HEAD_BYTES]):
        return kind
    if (documents := _count_documents(data)) > 1:
        return FileKind(
            f"the file holds {documents} JSON documents one after another; upload each as a file "
            "of its own, or one a line with --check and a record path"
        )
    return None


def kind_by_first_bytes(head: bytes) -> FileKind | None:
    """Tell what a file is by its first bytes; None of whatever begins like a JSON document."""
    for mark, encoding in _WIDE:
        if head.startswith(mark):
            return FileKind(f"the file is {encoding}; {_AGAIN}", ErrorCode.ENCODING_INVALID)
    if _WIDE_WITHOUT_MARK.match(head):
        return FileKind(f"the file is UTF-16; {_AGAIN}", ErrorCode.ENCODING_INVALID)
    if head.startswith(GZIP_MAGIC):
        return FileKind("the file is gzip inside gzip; unpack it once", ErrorCode.ENCODING_INVALID)
    text = head.removeprefix(codecs.BOM_UTF8).strip()
    what, remedy = _format(head, text)
    return FileKind(f"the file is {what}; {remedy}") if what else None


def _format(head: bytes, text: bytes) -> tuple[str, str]:
    if head.startswith(b"PK") and _OFFICE.search(head):
        return _OFFICE_FILE, _EXPORT
    for magic, what, remedy in _MAGIC:
        if head.startswith(magic):
            return what, remedy
    if _HTML.match(text):
        return "an HTML page, such as a login or error page", "fetch the document again"
    if text.startswith(b"<"):
        return "XML", _EXPORT
    if _is_table(text):
        return "a table of separated values, such as CSV", _EXPORT
    return "", ""


def _is_table(text: bytes) -> bool:
    first, _, rest = text.partition(b"\n")
    second = rest.partition(b"\n")[0]
    return not text.startswith((b"{", b"[")) and any(
        0 < first.count(separator) == second.count(separator) for separator in _SEPARATORS
    )


def _count_documents(data: bytes) -> int:
    """Count the objects and lists that stand one after another; the last one may be broken."""
    # What was read is not kept: a day of checks would fill a gigabyte.
    decoder, place, count = json.JSONDecoder(object_pairs_hook=lambda _: None), 0, 0
    try:
        text = data.removeprefix(codecs.BOM_UTF8).decode()
        while opening := _OPENING.match(text, place):
            count += 1
            _, place = decoder.raw_decode(text, opening.end())
    except (ValueError, RecursionError):
        return count
    return 0 if text[place:].strip() else count
