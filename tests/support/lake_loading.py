"""Loads a lake and runs commands within the test's own process: a program's start costs seconds."""

import asyncio
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from itertools import islice
from threading import Thread
from typing import Any
from unittest.mock import patch

from typer.testing import CliRunner

from consumer import app
from consumer.cli import cli
from consumer.ingest.prepare import Fetched, prepare
from consumer.load.document import Identity
from consumer.settings import ConsumerSettings
from schemas.envelopes import ObjectEvent
from schemas.keys import parse_key
from tests.conftest import Lake
from tests.support.programs import until
from tests.support.samples import ALIASES, NO_LIMIT
from tests.support.warehouse import Warehouse

_AT_ONCE = 50


def consumer_settings(environment: Mapping[str, str]) -> ConsumerSettings:
    """Read an environment as the consumer does."""
    return ConsumerSettings.model_validate(
        {name.lower(): environment[name] for name in environment}
    )


def command(environment: Mapping[str, str], *arguments: str) -> tuple[int, str, str]:
    """Run a command of the consumer; return its exit code, stdout and stderr."""
    result = CliRunner().invoke(cli, arguments, env=dict(environment))
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.stdout, result.stderr


def told_json(environment: Mapping[str, str], *arguments: str) -> tuple[int, Any]:
    """Run a command with --json; return its exit code and what it said."""
    code, said, errors = command(environment, *arguments, "--json")
    assert said, errors
    return code, json.loads(said)


@contextmanager
def consumer_beside(environment: Mapping[str, str]) -> Iterator[None]:
    """Run a consumer in a thread while the block runs; it stops as one that was sent SIGTERM."""
    stops: list[Callable[[], object]] = []

    @contextmanager
    def stopping_by(stop: Callable[[], object]) -> Iterator[None]:
        stops.append(stop)
        yield

    settings = consumer_settings({**environment, "RECEIVE_WAIT_SECONDS": "1"})
    # Signals are the main thread's, and the collector is the tests'.
    own: dict[str, Any] = {"leave_when_told": lambda: None, "collect_garbage_seldom": lambda: None}
    with patch.multiple(app, stopping_by=stopping_by, **own):
        thread = Thread(target=lambda: asyncio.run(app.run(settings)), name="consumer")
        thread.start()
        try:
            yield
        finally:
            until(lambda: bool(stops) or not thread.is_alive(), "the consumer has started")
            for stop in stops:
                stop()
            thread.join(30)
    assert not thread.is_alive()


def load_new(warehouse: Warehouse, lake: Lake) -> None:
    """Load what the lake holds and the ledger does not know, as consumers would in the end."""
    rows = warehouse.query("SELECT object_key, version FROM ingested_objects")
    known = {(row["object_key"], row["version"]) for row in rows}
    new = (one for one in stored_objects(lake) if one.identity.key[1:] not in known)
    while batch := [*islice(new, _AT_ONCE)]:
        warehouse.load(*(prepare(one, ALIASES, NO_LIMIT).document for one in batch))


def stored_objects(lake: Lake) -> Iterator[Fetched]:
    """Give every version that the lake holds with an event of its own time, the oldest first."""
    pages = lake.s3.get_paginator("list_object_versions").paginate(Bucket=lake.bucket)
    listed = [found for page in pages for found in page.get("Versions", [])]
    for found in sorted(listed, key=lambda found: found["LastModified"]):
        version = None if found["VersionId"] == "null" else found["VersionId"]
        key = parse_key(found["Key"])
        if key is None:
            continue
        asked: dict[str, Any] = {"VersionId": version} if version else {}
        answer = lake.s3.get_object(Bucket=lake.bucket, Key=found["Key"], **asked)
        time, etag = found["LastModified"], found["ETag"].strip('"')
        event = ObjectEvent(
            lake.bucket, found["Key"], "ObjectCreated:Put", event_time=time, version_id=version
        )
        identity = Identity(event, version, etag, time, time, 1)
        yield Fetched(identity, key.source, key, answer["Body"].read())
