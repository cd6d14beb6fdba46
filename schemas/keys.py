"""The layout of the data lake's keys, built and parsed in this one place.

Store ids are free text (`99 CB CB`, `São João`, `A/B`): they are percent-encoded, so a key is
ASCII and a store adds no folder level. What S3 encodes in events is for `schemas.envelopes`.
"""

import re
import shlex
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import ClassVar
from urllib.parse import quote, unquote

from schemas.registry import ENDPOINTS_BY_NAME, Source

RAW_PREFIX = "raw/"
ERP_PREFIX = "raw/erp/"
API_PREFIX = "raw/api_responses/"
PROCESSED_PREFIX = "processed/"
LOGS_PREFIX = "logs/"
ERRORS_PREFIX = "logs/errors/"
FOLDERS = (RAW_PREFIX, ERP_PREFIX, API_PREFIX, PROCESSED_PREFIX, LOGS_PREFIX, ERRORS_PREFIX)
OWN_OUTPUT = (LOGS_PREFIX, PROCESSED_PREFIX)  # what our programs write and never load

_API_KEY = re.compile(
    re.escape(API_PREFIX)
    + r"(?P<endpoint>[^/]+)/busDt=(?P<bus_dt>\d{4}-\d{2}-\d{2})/storeId=(?P<store>[^/]+)/"
    r"(?P<name>[^/]+)\.json(?:\.gz)?",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class ApiKey:
    """The identity that an API answer's key carries."""

    source: Source
    bus_dt: date
    store_id: str


@dataclass(frozen=True, slots=True)
class ErpKey:
    """An ERP export: the key names neither store nor day."""

    source: ClassVar[Source] = Source.ERP
    bus_dt: ClassVar[None] = None
    store_id: ClassVar[None] = None


def is_folder_marker(key: str) -> bool:
    """Say whether a key ends in `/`: consoles create such zero-byte objects as folders."""
    return key.endswith("/")


def is_own_output(key: str) -> bool:
    """Say whether `key` lies where our programs write what is not to be loaded."""
    return key.startswith(OWN_OUTPUT)


def store_day_prefix(source: Source, bus_dt: date, store_id: str) -> str:
    """Return the prefix under which every answer for one endpoint, day and store lies.

    Raises:
        ValueError: `source` is no API endpoint, or `store_id` is empty.
    """
    if source.value not in ENDPOINTS_BY_NAME:
        raise ValueError(f"{source.value} is not an API endpoint")
    if not store_id or "\0" in store_id:
        raise ValueError("store id is empty or holds NUL")
    store = quote(store_id, safe="")
    # "." and ".." survive quote(); S3 clients normalise them away as path segments.
    if store in (".", ".."):
        store = store.replace(".", "%2E")
    return f"{API_PREFIX}{source.value}/busDt={bus_dt.isoformat()}/storeId={store}/"


def api_key(source: Source, bus_dt: date, store_id: str, pulled_at: datetime) -> str:
    """Build the key of one API answer.

    `pulled_at`, when the answer came, is written in UTC to the microsecond so that keys of one
    prefix sort by time. `store_id` is raw.

    Raises:
        ValueError: `source` is no API endpoint, `store_id` is empty or `pulled_at` is naive.
    """
    if pulled_at.tzinfo is None:
        raise ValueError("pulled_at must carry a time zone")
    name = pulled_at.astimezone(UTC).strftime("%Y%m%dT%H%M%S.%fZ")
    return f"{store_day_prefix(source, bus_dt, store_id)}{name}.json"


def pull_command(source: Source, bus_dt: date, store_id: str) -> str:
    """Return the command, for a shell, that pulls one API answer again."""
    return (
        f"producer pull --force --from {bus_dt} --to {bus_dt} --store {shlex.quote(store_id)} "
        f"--endpoint {source.value}"
    )


def parse_key(key: str) -> ApiKey | ErpKey | None:
    """Read what a key says about its object; None when it is no document of ours."""
    if key.startswith(ERP_PREFIX):
        return ErpKey() if key.endswith((".json", ".json.gz")) else None
    match = _API_KEY.fullmatch(key)
    if match is None or match["endpoint"] not in ENDPOINTS_BY_NAME:
        return None
    try:
        bus_dt = date.fromisoformat(match["bus_dt"])
        store_id = unquote(match["store"], errors="strict")
    except ValueError:
        return None
    return None if "\0" in store_id else ApiKey(Source(match["endpoint"]), bus_dt, store_id)


def source_named(key: str) -> Source | None:
    """Return the source whose name is a folder or the name of a key, whatever its layout."""
    words = re.split(r"[/.]", key)
    return next((source for word in words for source in Source if source == word), None)


def error_log_key(source: str, failed_at: datetime, name: str) -> str:
    """Build the key of an error log: `logs/errors/<source>/<yyyy>/<mm>/<dd>/<name>.json`.

    `name` identifies the failure (message id and record), so that writing the same failure
    twice writes one object.
    """
    day = failed_at.astimezone(UTC).strftime("%Y/%m/%d")
    return f"{ERRORS_PREFIX}{quote(source, safe='')}/{day}/{quote(name, safe='')}.json"
