"""Which files go into the lake, under which keys, and which do not."""

import gzip
from pathlib import Path

import pytest

from producer.errors import FileRejected
from producer.sending.upload_files import (
    UploadFile,
    check_prefix,
    content_encoding,
    find_files,
    plan_uploads,
    read_upload_file,
)
from runtime.errors import SettingsInvalid
from schemas.layouts import read_layout


def written(path: Path, content: bytes = b'{"a": 1}') -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def read(path: Path, *, max_bytes: int = 1_000_000, check: bool = True) -> bytes:
    return read_upload_file(
        UploadFile(path, f"raw/erp/{path.name}"), max_bytes=max_bytes, check=check
    )


@pytest.mark.parametrize(
    ("given", "used"),
    [
        ("raw/erp/", "raw/erp/"),
        ("raw/erp", "raw/erp/"),
        ("raw/", "raw/"),
        ("raw/a b/é", "raw/a b/é/"),
    ],
)
def test_a_prefix_gets_its_closing_slash(given: str, used: str) -> None:
    assert check_prefix(given) == used


@pytest.mark.parametrize(
    "prefix",
    ["", "/", "erp/", "processed/", "rawer/", "/raw/erp/", "../raw/", "logs/raw/"],
)
def test_a_prefix_outside_raw_is_refused(prefix: str) -> None:
    with pytest.raises(SettingsInvalid, match="must start with raw/"):
        check_prefix(prefix)


@pytest.mark.parametrize(
    "prefix", ["raw//", "raw//erp/", "raw/../logs/", "raw/./erp/", "raw/a\nb/", "raw/a\\b/"]
)
def test_a_prefix_that_leads_elsewhere_is_refused(prefix: str) -> None:
    with pytest.raises(SettingsInvalid, match="unusable part"):
        check_prefix(prefix)


def test_a_folder_stands_for_the_json_files_in_it_at_any_depth(tmp_path: Path) -> None:
    wanted = [
        written(tmp_path / "a.json"),
        written(tmp_path / "deep" / "er" / "b.json.gz"),
        written(tmp_path / "deep" / "c.JSON"),
    ]
    written(tmp_path / "notes.txt")
    (tmp_path / "folder.json").mkdir()
    assert sorted(find_files([tmp_path])) == sorted(wanted)


def test_a_file_named_twice_is_sent_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    written(tmp_path / "a.json")
    found = find_files([Path("a.json"), tmp_path, tmp_path / "a.json"])
    assert found == {Path("a.json"): "a.json"}


def test_files_of_a_folder_keep_their_paths_in_it(tmp_path: Path) -> None:
    """Those of two folders meet where their paths are the same, which is refused."""
    for folder in ("one", "two"):
        written(tmp_path / folder / "001" / "20240131" / "getChargeBack.json")
        written(tmp_path / folder / f"{folder}.json")
    layout = read_layout("lojas/{store}/{day}/{endpoint}.json")
    planned = plan_uploads(find_files([tmp_path / "one"]), "lojas/", layout)
    assert [(file.key, file.is_document) for file in planned] == [
        ("lojas/001/20240131/getChargeBack.json", True),
        ("lojas/one.json", False),
    ]
    with pytest.raises(SettingsInvalid, match=r"would both become lojas/001/20240131/getCharge"):
        plan_uploads(find_files([tmp_path / "one", tmp_path / "two"]), "lojas/")


@pytest.mark.parametrize(
    ("templates", "prefix", "used"),
    [
        ("lojas/{store}/{day}/{endpoint}.json", "lojas", "lojas/"),
        ("a/b/{store}/{day}/{endpoint}.json", "a/", "a/"),
        ("{store}/{day}/{endpoint}.json", "", ""),
        ("{store}/{day}/{endpoint}.json", "001", "001/"),
    ],
)
def test_files_go_where_key_templates_find_them(templates: str, prefix: str, used: str) -> None:
    assert check_prefix(prefix, read_layout(templates)) == used


@pytest.mark.parametrize("prefix", ["logs/", "processed/x/", "a/", ""])
def test_files_go_nowhere_else(prefix: str) -> None:
    with pytest.raises(SettingsInvalid, match=r"must start with lojas/ or raw/.*KEY_TEMPLATES"):
        check_prefix(prefix, read_layout("lojas/{store}/{day}/{endpoint}.json"))
    with pytest.raises(SettingsInvalid, match="KEY_TEMPLATES"):
        check_prefix("logs/", read_layout("{store}/{day}/{endpoint}.json"))


def test_a_folder_without_json_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsInvalid, match=r"holds no \*\.json"):
        find_files([tmp_path])


def test_two_files_for_one_key_are_refused_and_both_named(tmp_path: Path) -> None:
    paths = [tmp_path / "a" / "x.json", tmp_path / "b" / "x.json"]
    with pytest.raises(SettingsInvalid, match=r"a/x\.json and .*b/x\.json would both become"):
        plan_uploads({path: path.name for path in paths}, "raw/erp/")


def test_the_key_is_the_prefix_and_the_name_as_it_is() -> None:
    (upload_file,) = plan_uploads(find_files([Path("out/Relatório 1+2%20.json")]), "raw/erp/")
    assert upload_file.key == "raw/erp/Relatório 1+2%20.json"


@pytest.mark.parametrize("name", ["a.json", "a.json.gz"])
def test_what_is_compressed_is_told_by_the_first_bytes(tmp_path: Path, name: str) -> None:
    """It is checked unpacked and sent packed; whatever its name says."""
    packed = gzip.compress(b'{"a": 1}', mtime=0)
    assert read(written(tmp_path / name, packed)) == packed
    assert content_encoding(packed) == "gzip"
    assert read(written(tmp_path / name, b'{"a": 1}')) == b'{"a": 1}'
    assert content_encoding(b'{"a": 1}') is None


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.json", b'{"a":\n  oops}', "expecting value at line 2, column 3; correct the file"),
        ("a.json", b"", "the file is empty"),
        ("a.json", b'{"a":\n "\xff"}', r"not UTF-8 \(line 2, byte 8\)"),
        ("a.json", b"PK\x03\x04", "the file is a ZIP archive; unpack it"),
        ("a.json.gz", gzip.compress(b"<html>", mtime=0), "the file is an HTML page"),
        ("a.json", gzip.compress(b"{}", mtime=0)[:-1], "not a complete gzip file"),
        ("a.json.gz", gzip.compress(b'{"a": 1}' * 50, mtime=0)[:-9], "not a complete gzip file"),
        ("a.json.gz", gzip.compress(b"{", mtime=0), "line 1, column 2"),
        ("a.json.gz", gzip.compress(b" " * 2_000_000, mtime=0), "unpacked, it is larger"),
        ("b.json", b" " * 1_000_001, "UPLOAD_MAX_FILE_BYTES=1000000"),
        ("a.txt", b"{}", "must end with .json or .json.gz"),
        ("a.JSON", b"{}", "must end with .json or .json.gz"),
        ("a\nb.json", b"{}", "do not belong in a key"),
        ("a\\b.json", b"{}", "do not belong in a key"),
    ],
)
def test_an_unusable_file_is_rejected_with_the_place_and_the_remedy(
    tmp_path: Path, name: str, content: bytes, message: str
) -> None:
    with pytest.raises(FileRejected, match=message):
        read(written(tmp_path / name, content))


def test_a_file_that_is_not_there_or_not_readable_is_rejected(tmp_path: Path) -> None:
    with pytest.raises(FileRejected, match=r"No such file .*; check path"):
        read(tmp_path / "nope.json")
    (tmp_path / "folder.json").mkdir()
    with pytest.raises(FileRejected, match="cannot be read"):
        read(tmp_path / "folder.json")


def test_without_the_check_a_broken_document_is_read_as_it_is(tmp_path: Path) -> None:
    assert read(written(tmp_path / "a.json", b"{oops"), check=False) == b"{oops"


def test_a_name_that_is_not_utf8_can_still_be_reported() -> None:
    assert UploadFile(Path("a\udcff.json"), "k").subject() == {"file": "a\\udcff.json"}
