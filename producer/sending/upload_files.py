"""Upload files: which ones, under which keys, and whether they may be uploaded."""

import gzip
import io
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from producer.errors import FileRejected
from producer.json_text import NotJson, parse_json
from runtime.errors import SettingsInvalid
from schemas.keys import RAW_PREFIX

_SUFFIXES = (".json", ".json.gz")


@dataclass(frozen=True, slots=True)
class UploadFile:
    """One file, as the caller named it, and the key it goes to."""

    path: Path
    key: str

    @property
    def content_encoding(self) -> str | None:
        """The content encoding of the file as it is stored."""
        return "gzip" if self.key.endswith(".gz") else None

    def subject(self) -> dict[str, str]:
        """Return the fields of a log event or a report."""
        return {"file": str(self.path).encode("utf-8", "backslashreplace").decode()}


def check_prefix(prefix: str) -> str:
    """Return a key prefix with its closing slash; raises SettingsInvalid outside of `raw/`."""
    folder = prefix.removesuffix("/")
    parts = folder.split("/")
    if f"{parts[0]}/" != RAW_PREFIX:
        raise SettingsInvalid(
            f"--to {prefix!r} must start with {RAW_PREFIX}, such as raw/erp/: nothing else in "
            "the lake is loaded"
        )
    for part in parts:
        if part in ("", ".", "..") or not part.isprintable() or "\\" in part:
            raise SettingsInvalid(f"--to {prefix!r} has an unusable part {part!r}; use plain names")
    return f"{folder}/"


def find_files(arguments: Iterable[Path]) -> list[Path]:
    """Replace folders by the JSON files in them, at any depth; raises SettingsInvalid for none."""
    found: dict[Path, Path] = {}
    for argument in arguments:
        inside = [argument]
        if argument.is_dir():
            files = (path for path in argument.rglob("*") if path.is_file())
            inside = sorted(path for path in files if path.name.lower().endswith(_SUFFIXES))
            if not inside:
                raise SettingsInvalid(
                    f"folder {argument} holds no *.json or *.json.gz file; name another one"
                )
        for path in inside:
            found.setdefault(path.absolute(), path)
    return list(found.values())


def plan_uploads(paths: Iterable[Path], prefix: str) -> list[UploadFile]:
    """Give every file its key; raises SettingsInvalid if two would get the same."""
    by_key: dict[str, Path] = {}
    for path in paths:
        key = prefix + path.name
        if key in by_key:
            raise SettingsInvalid(
                f"{by_key[key]} and {path} would both become {key}; rename one, or upload it "
                "separately with another --to"
            )
        by_key[key] = path
    return [UploadFile(path, key) for key, path in by_key.items()]


def read_upload_file(upload_file: UploadFile, *, max_bytes: int, check: bool) -> bytes:
    """Read a file of at most `max_bytes`, also unpacked; raises FileRejected. Blocks."""
    name = upload_file.path.name
    if not name.endswith(_SUFFIXES):
        raise FileRejected("the name must end with .json or .json.gz; rename the file")
    if not name.isprintable() or "\\" in name:
        raise FileRejected(
            "the name contains characters that do not belong in a key; rename the file"
        )
    body = _read(upload_file.path, max_bytes)
    if check:
        try:
            parse_json(_unpack(body, max_bytes) if upload_file.content_encoding else body)
        except NotJson as error:
            raise FileRejected(
                f"{error}; correct the file, or upload it unchecked with --no-check"
            ) from error
    return body


def _read(path: Path, max_bytes: int) -> bytes:
    try:
        size_bytes = path.stat().st_size
        if size_bytes > max_bytes:
            raise FileRejected(
                f"it has {size_bytes} bytes, more than UPLOAD_MAX_FILE_BYTES={max_bytes}; "
                "split it, or raise the limit"
            )
        return path.read_bytes()
    except FileNotFoundError as error:
        raise FileRejected("there is no such file; check the path") from error
    except (OSError, ValueError) as error:
        raise FileRejected(f"it cannot be read: {error}; check the file's permissions") from error


def _unpack(body: bytes, max_bytes: int) -> bytes:
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(body)) as packed:
            text = packed.read(max_bytes + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise FileRejected(
            f"it is not a complete gzip file: {error}; compress it again, or upload it unchecked "
            "with --no-check"
        ) from error
    if len(text) > max_bytes:
        raise FileRejected(
            f"unpacked, it is larger than UPLOAD_MAX_FILE_BYTES={max_bytes}; split the file"
        )
    return text
