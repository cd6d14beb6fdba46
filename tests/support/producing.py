"""The producer as a process, and what it leaves in the lake."""

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.conftest import Lake
from tests.support.programs import run


def producer(
    arguments: list[str], environment: Mapping[str, str], cwd: Path
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return run("producer", *arguments, environment=environment, directory=cwd)


def keys(lake: Lake, prefix: str) -> list[str]:
    """List what lies under a prefix, without folder markers."""
    pages = lake.s3.get_paginator("list_objects_v2").paginate(Bucket=lake.bucket, Prefix=prefix)
    found = [entry["Key"] for page in pages for entry in page.get("Contents", [])]
    return [key for key in found if not key.endswith("/")]


def stamp(lake: Lake, key: str) -> tuple[str, object]:
    """Return what changes when an object is written again."""
    head = lake.s3.head_object(Bucket=lake.bucket, Key=key)
    return head["ETag"], head["LastModified"]


def summary(result: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    """Read what `--json` printed."""
    document: dict[str, Any] = json.loads(result.stdout)
    return document
