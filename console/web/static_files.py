"""Styles, scripts and icons: read once, served under names that change with their content."""

import hashlib
import mimetypes
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path

from fastapi import APIRouter, HTTPException, Response

_DIGITS = 12  # of the digest in a URL
_FOR_EVER = {"Cache-Control": "public, max-age=31536000, immutable"}

router = APIRouter()


@dataclass(frozen=True, slots=True)
class StaticFile:
    """A file as browsers get it."""

    data: bytes
    media_type: str

    @property
    def digest(self) -> str:
        """Return what the file's URL changes with."""
        return hashlib.sha256(self.data).hexdigest()[:_DIGITS]


@cache
def static_files() -> Mapping[str, StaticFile]:
    """Return all files by their path inside `console/static`."""
    root = Path(str(files("console"))) / "static"
    return {
        path.relative_to(root).as_posix(): StaticFile(
            path.read_bytes(), mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        )
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }


@cache
def static_url(name: str) -> str:
    """Return where a file is served; raises KeyError if there is none of the name."""
    return f"/static/{static_files()[name].digest}/{name}"


@router.get("/static/{digest}/{name:path}")
async def serve(digest: str, name: str) -> Response:
    """Serve one file; a page of another release may ask for a digest that is gone."""
    found = static_files().get(name)
    if found is None or found.digest != digest:
        raise HTTPException(404)
    return Response(found.data, media_type=found.media_type, headers=_FOR_EVER)
