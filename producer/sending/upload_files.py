"""Upload files: which ones, under which keys, and whether they may be uploaded."""

import gzip
import io
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from producer.errors import FileRejected
from producer.json_text import NotJson, parse_json
from runtime.errors import SettingsInvalid
from schemas.file_kinds import GZIP_MAGIC, file_kind
from schemas.layouts import OWN_LAYOUT, Layout

_SUFFIXES = (".json", ".json.gz")


@dataclass(frozen=True, slots=True)
class UploadFile:
    """One file, as the caller named it, and the key it goes to."""

    path: Path
    key: str
    is_document: bool = True  # whether the consumer reads such a key

    def subject(self) -> dict[str, str]:
        """Return the fields of a log event or a report."""
        return {"file": str(self.path).encode("utf-8", "backslashreplace").decode()}


def refuse_outside(layout: Layout, option: str, prefix: str) -> None:
    """Refuse a prefix under which nothing is loaded, with SettingsInvalid."""
    if not layout.covers(prefix):
        raise SettingsInvalid(
            f"{option} {prefix!r} must start with {' or '.join(layout.prefixes)}: nothing else in "
            "the lake is loaded; KEY_TEMPLATES adds to it"
        )


def check_prefix(prefix: str, layout: Layout = OWN_LAYOUT) -> str:
    """Return a key prefix with its closing slash; raises SettingsInvalid outside of the layout."""
    folder = prefix.removesuffix("/")
    refuse_outside(layout, "--to", f"{folder}/" if folder else prefix)
    if not prefix:
        return ""
    for part in folder.split("/"):
        if part in ("", ".", "..") or not part.isprintable() or "\\" in part:
            raise SettingsInvalid(f"--to {prefix!r} has an unusable part {part!r}; use plain names")
    return f"{folder}/"


def find_files(arguments: Iterable[Path]) -> dict[Path, str]:
    """Return files with their names: of JSON files in folders, at any depth, their paths there.

    Raises SettingsInvalid for a folder without any.
    """
    found: dict[Path, tuple[Path, str]] = {}
    for argument in arguments:
        folder, inside = argument.parent, [argument]
        if argument.is_dir():
            folder = argument
            files = (path for path in argument.rglob("*") if path.is_file())
            inside = sorted(path for path in files if path.name.lower().endswith(_SUFFIXES))
            if not inside:
                raise SettingsInvalid(
                    f"folder {argument} holds no *.json or *.json.gz file; name another one"
                )
        for path in inside:
            found.setdefault(path.absolute(), (path, path.relative_to(folder).as_posix()))
    return dict(found.values())


def plan_uploads(
    found: Mapping[Path, str], prefix: str, layout: Layout = OWN_LAYOUT
) -> list[UploadFile]:
    """Give every file its key; raises SettingsInvalid if two would get the same."""
    by_key: dict[str, Path] = {}
    for path, name in found.items():
        key = prefix + name
        if key in by_key:
            raise SettingsInvalid(
                f"{by_key[key]} and {path} would both become {key}; rename one, or upload it "
                "separately with another --to"
            )
        by_key[key] = path
    return [UploadFile(path, key, layout.is_document(key)) for key, path in by_key.items()]


def read_upload_file(upload_file: UploadFile, *, max_bytes: int, check: bool) -> bytes:
    """Read a file of at most `max_bytes`, also unpacked; raises FileRejected. Blocks."""
    key = upload_file.key
    if not key.endswith(_SUFFIXES):
        raise FileRejected("the name must end with .json or .json.gz; rename the file")
    if not key.isprintable() or "\\" in key:
        raise FileRejected(
            "the name contains characters that do not belong in a key; rename the file"
        )
    body = _read(upload_file.path, max_bytes)
    if check:
        text = _unpack(body, max_bytes) if content_encoding(body) else body
        try:
            parse_json(text)
        except NotJson as error:
            kind = file_kind(text)
            otherwise = f"{error}; correct the file, or upload it unchecked with --no-check"
            raise FileRejected(kind.message if kind else otherwise) from error
    return body


def content_encoding(body: bytes) -> str | None:
    """Return the content encoding of a file, whatever its name says."""
    return "gzip" if body.startswith(GZIP_MAGIC) else None


def _read(path: Path, max_bytes: int) -> bytes:
    try:
        size_bytes = path.stat().st_size
        if size_bytes > max_bytes:
            raise FileRejected(
                f"it has {size_bytes} bytes, more than UPLOAD_MAX_FILE_BYTES={max_bytes}; "
                "split it, or raise the limit"
            )
        return path.read_bytes()
    except (OSError, ValueError) as error:
        raise FileRejected(f"it cannot be read: {error}; check path and permissions") from error


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
