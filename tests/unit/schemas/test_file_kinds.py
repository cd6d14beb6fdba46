"""Upload and consumer tell in the same words what a file is that is no JSON document."""

import bz2
import gzip
import io
import json
import lzma
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumer.decoding.gunzip import PlainReader
from consumer.decoding.parse import JsonLines, decode
from consumer.errors import Permanent
from producer.errors import FileRejected
from producer.sending.upload_files import UploadFile, read_upload_file
from schemas.codes import ErrorCode
from schemas.file_kinds import file_kind, kind_by_first_bytes

CHECKS = '{"locRef": "1", "guestChecks": []}'


def zipped(*names: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name in names:
            archive.writestr(name, CHECKS)
    return file.getvalue()


FILES = [
    (b"", "the file is empty; export it again"),
    (b"\xef\xbb\xbf \r\n", "the file is empty"),
    (zipped("a.json"), "a ZIP archive; unpack it and upload the JSON files in it"),
    (zipped(), "a ZIP archive"),
    (zipped("[Content_Types].xml", "xl/workbook.xml"), "an Excel or other Office file; export"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0\0", "an Excel or other Office file"),
    (bz2.compress(b"{}"), "packed with bzip2"),
    (lzma.compress(b"{}"), "packed with xz"),
    (b"PAR1\x15", "a Parquet file; export the data as JSON"),
    (b"%PDF-1.7", "a PDF"),
    (b"\n<!DOCTYPE HTML><html>", "an HTML page, such as a login or error page; fetch"),
    (b"<html lang='pt'>", "an HTML page"),
    (b"<?xml version='1.0'?><Error/>", "XML; export the data as JSON"),
    (b"guestCheckId;subTtl\n1;10,50\n", "a table of separated values, such as CSV; export"),
    (b'"a","b"\n"1","2"\n', "a table of separated values"),
    (b"a\tb\n1\t2", "a table of separated values"),
    (f"{CHECKS}{CHECKS}".encode(), "holds 2 JSON documents one after another; upload each"),
    (f"\ufeff{CHECKS}[1]\n{{".encode(), "holds 3 JSON documents"),
]
ENCODED = [
    (CHECKS.encode("utf-16"), "the file is UTF-16; export it again as UTF-8"),
    (CHECKS.encode("utf-16-le"), "UTF-16"),
    (CHECKS.encode("utf-16-be"), "UTF-16"),
    (CHECKS.encode("utf-32"), "UTF-32"),
    (gzip.compress(gzip.compress(b"{}")), "gzip inside gzip; unpack it once"),
]


@pytest.mark.parametrize(
    ("data", "said"), FILES + ENCODED, ids=[said for _, said in FILES + ENCODED]
)
def test_upload_and_consumer_say_what_it_is_and_how_to_send_it(
    data: bytes, said: str, tmp_path: Path
) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(data)
    with pytest.raises(FileRejected) as rejected:
        read_upload_file(UploadFile(path, "raw/erp/a.json"), max_bytes=10**6, check=True)
    assert said in str(rejected.value)
    plain = PlainReader(io.BytesIO(data), 10**6).read_all(10**6)
    assert plain is not None
    with pytest.raises(Permanent) as refused:
        decode(plain)
    code = ErrorCode.ENCODING_INVALID if (data, said) in ENCODED else ErrorCode.JSON_MALFORMED
    assert (str(refused.value), refused.value.code) == (str(rejected.value), code)


@pytest.mark.parametrize("end", ["", "[1]\r\n"])
def test_one_document_a_line_is_read_by_the_consumer_alone(end: str) -> None:
    """Where its alias file has a path to the records, such a file is loaded."""
    data = f"{CHECKS}\n{CHECKS}\r\n{end}".encode()
    kind = file_kind(data)
    assert kind is not None
    assert f"holds {3 if end else 2} JSON documents one after another" in kind.message
    assert isinstance(decode(data).root, JsonLines)


@pytest.mark.parametrize("data", [b"{", b"{} }", b"[1] 2", b"{'a': 1}", b"oops", b'{"a": "\xe3"}'])
def test_of_a_broken_document_the_place_is_told_instead(data: bytes) -> None:
    assert file_kind(data) is None


@given(st.recursive(st.none() | st.text() | st.integers(), st.lists))
def test_a_document_is_never_taken_for_something_else(value: object) -> None:
    data = json.dumps([value], ensure_ascii=False).encode("utf-8", "surrogatepass")
    assert file_kind(data) is None
    assert kind_by_first_bytes(data[:10]) is None
