"""Files on disk that go into the lake: which ones, under which keys, and whether they may."""

import gzip
import io
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from producer.errors import ConfigurationError, FileRejectedError, NotJsonError
from producer.json_text import parse_json
from schemas.keys import RAW_PREFIX

_SUFFIXES = (".json", ".json.gz")
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html
_MAX_KEY_BYTES = 1024


@dataclass(frozen=True, slots=True)
class UploadFile:
    """One file and the key it goes to.

    Attributes:
        path: The file, as the caller named it.
        key: Its key in the lake.
    """

    path: Path
    key: str

    @property
    def content_encoding(self) -> str | None:
        """The encoding under which the file is stored, as it is."""
        return "gzip" if self.key.endswith(".gz") else None

    def subject(self) -> dict[str, str]:
        """Return the file as a field of a log event or a report; printable in any case."""
        return {"file": str(self.path).encode("utf-8", "backslashreplace").decode()}


def check_prefix(prefix: str) -> str:
    """Return the prefix with its closing slash.

    Raises:
        ConfigurationError: It does not lie under `raw/`, or a part of it is empty, `.`, `..`
            or not printable.
    """
    folder = prefix.removesuffix("/")
    parts = folder.split("/")
    if f"{parts[0]}/" != RAW_PREFIX:
        raise ConfigurationError(
            f"--to {prefix!r} must start with {RAW_PREFIX}, such as raw/erp/: nothing else in "
            "the lake is loaded"
        )
    for part in parts:
        if part in ("", ".", "..") or not part.isprintable() or "\\" in part:
            raise ConfigurationError(
                f"--to {prefix!r} has an unusable part {part!r}; use plain names"
            )
    return f"{folder}/"


def find_files(arguments: Iterable[Path]) -> list[Path]:
    """Replace folders by the JSON files in them, at any depth; each file is named once.

    Files named directly are kept whether they exist or not: reading them says what is wrong.

    Raises:
        ConfigurationError: A folder holds no JSON file.
    """
    found: dict[Path, Path] = {}
    for argument in arguments:
        inside = [argument]
        if argument.is_dir():
            inside = sorted(
                path
                for path in argument.rglob("*")
                if path.name.lower().endswith(_SUFFIXES) and path.is_file()
            )
            if not inside:
                raise ConfigurationError(
                    f"folder {argument} holds no *.json or *.json.gz file; name another one"
                )
        for path in inside:
            found.setdefault(path.absolute(), path)
    return list(found.values())


def plan_shipments(paths: Iterable[Path], prefix: str) -> list[UploadFile]:
    """Give every file its key: the prefix and the file's own name.

    Args:
        paths: From `find_files`.
        prefix: From `check_prefix`.

    Raises:
        ConfigurationError: Two files would get the same key.
    """
    by_key: dict[str, Path] = {}
    for path in paths:
        key = prefix + path.name
        if key in by_key:
            raise ConfigurationError(
                f"{by_key[key]} and {path} would both become {key}; rename one, or upload it "
                "separately with another --to"
            )
        by_key[key] = path
    return [UploadFile(path, key) for key, path in by_key.items()]


def read_shipment(upload_file: UploadFile, *, max_bytes: int, check: bool) -> bytes:
    """Read a file as it is, after making sure that it may go into the lake. Blocks.

    Args:
        upload_file: What to read.
        max_bytes: The largest size taken, on disk and unpacked.
        check: Whether the content must be JSON.

    Raises:
        FileRejectedError: The name or the content is unusable, or it cannot be read; says where
            and what to do.
    """
    _check_name(upload_file)
    body = _read(upload_file.path, max_bytes)
    if not check:
        return body
    text = _unpack(body, max_bytes) if upload_file.content_encoding else body
    try:
        parse_json(text)
    except NotJsonError as exc:
        raise FileRejectedError(
            f"{exc}; correct the file, or send it as it is with --no-check"
        ) from exc
    return body


def _check_name(upload_file: UploadFile) -> None:
    name = upload_file.path.name
    if not name.endswith(_SUFFIXES):
        raise FileRejectedError("the name must end with .json or .json.gz; rename the file")
    if not name.isprintable() or "\\" in name:
        raise FileRejectedError(
            "the name holds characters that do not belong in a key; rename the file"
        )
    if len(upload_file.key.encode()) > _MAX_KEY_BYTES:
        raise FileRejectedError(
            f"its key would be longer than {_MAX_KEY_BYTES} bytes; rename the file"
        )


def _read(path: Path, max_bytes: int) -> bytes:
    try:
        size_bytes = path.stat().st_size
        if size_bytes > max_bytes:
            raise FileRejectedError(
                f"it has {size_bytes} bytes, more than UPLOAD_MAX_FILE_BYTES={max_bytes}; "
                "split it, or raise the limit"
            )
        return path.read_bytes()
    except FileNotFoundError as exc:
        raise FileRejectedError("there is no such file; check the path") from exc
    except (OSError, ValueError) as exc:
        raise FileRejectedError(f"it cannot be read: {exc}; check the file's permissions") from exc


def _unpack(body: bytes, max_bytes: int) -> bytes:
    """Unpack gzip, but never more than `max_bytes`."""
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(body)) as packed:
            text = packed.read(max_bytes + 1)
    except (OSError, EOFError, zlib.error) as exc:
        raise FileRejectedError(
            f"it is not a whole gzip file: {exc}; pack it again, or send it as it is with "
            "--no-check"
        ) from exc
    if len(text) > max_bytes:
        raise FileRejectedError(
            f"unpacked, it is larger than UPLOAD_MAX_FILE_BYTES={max_bytes}; split the file"
        )
    return text
