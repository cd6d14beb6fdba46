"""A consumer that runs beside a whole module of tests; they announce what they put, as AWS does.

LocalStack's own events differ from AWS's: keys with `%20` for a space, one constant sequencer.
"""

import json
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import quote_plus

import psycopg
from types_boto3_s3 import S3Client
from types_boto3_sqs import SQSClient

from devstack.environment import command_environment
from tests.conftest import Lake
from tests.support.databases import conninfo, own_database
from tests.support.fronts import Front, front_of
from tests.support.migrated import with_tables
from tests.support.programs import query


class Service:
    """The running consumer, its lake and its database."""

    def __init__(
        self, lake: Lake, database: Mapping[str, str], front: Front, environment: Mapping[str, str]
    ) -> None:
        self.lake = lake
        self.database = database
        self.front = front
        self._environment = {**environment, "AWS_ENDPOINT_URL": front.url}

    @contextmanager
    def consumer(self, log: Path) -> Iterator["subprocess.Popen[bytes]"]:
        """Run the consumer while the block runs."""
        with (
            log.open("wb") as output,
            subprocess.Popen(
                [sys.executable, "-m", "consumer", "run"], env=self._environment, stderr=output
            ) as process,
        ):
            try:
                yield process
            finally:
                process.kill()

    def put(self, key: str, body: bytes) -> dict[str, Any]:
        """Put an object; give the record that announces it."""
        answer = self.lake.s3.put_object(Bucket=self.lake.bucket, Key=key, Body=body)
        return self.record(key, answer["ETag"].strip('"'), len(body))

    def record(self, key: str, etag: str, size: int) -> dict[str, Any]:
        """Write a record as AWS does (S3 User Guide, "Event message structure")."""
        described = {
            "key": quote_plus(key, safe="/"),
            "size": size,
            "eTag": etag,
            "sequencer": f"{time.time_ns():016X}",
        }
        return {
            "eventVersion": "2.1",
            "eventSource": "aws:s3",
            "eventTime": "2024-01-02T03:04:05.678Z",
            "eventName": "ObjectCreated:Put",
            "s3": {"bucket": {"name": self.lake.bucket}, "object": described},
        }

    def announce(self, *records: dict[str, Any]) -> None:
        """Send one message with these records."""
        body = json.dumps({"Records": records})
        self.lake.sqs.send_message(QueueUrl=self.lake.queue_url, MessageBody=body)

    def ends(self, prefix: str) -> dict[str, tuple[str, str | None, int]]:
        """Return state, error code and receives of the objects under a prefix."""
        rows = query(
            self.database, "SELECT object_key, state, error_code, attempts FROM ingested_objects"
        )
        return {key: end for key, *end in rows if key.startswith(prefix)}  # type: ignore[misc]  # rows are tuples of anything

    def depth(self, url: str | None = None) -> int:
        """Count all messages of a queue, the main one unless told otherwise."""
        answer = self.lake.sqs.get_queue_attributes(
            QueueUrl=url or self.lake.queue_url, AttributeNames=["All"]
        )
        found = answer["Attributes"].items()
        return sum(int(value) for name, value in found if name.startswith("ApproximateNumber"))

    @contextmanager
    def stuck_database(self) -> Iterator[None]:
        """Let no check be committed while the block runs."""
        with psycopg.connect(**conninfo(self.database)) as connection:
            connection.execute("LOCK TABLE guest_checks IN EXCLUSIVE MODE")
            yield
            connection.rollback()


@contextmanager
def service_of(
    environment: Mapping[str, str],
    aws: tuple[S3Client, SQSClient],
    hook: ModuleType,
    settings: Mapping[str, str],
) -> Iterator[Service]:
    """Give a lake without notifications, a database and a front for a consumer that is to come."""
    s3, sqs = aws
    name = f"test-{secrets.token_hex(6)}"
    wired = hook.wire(s3, sqs, hook.Names(bucket=name, queue=name, dlq=f"{name}-dlq"))
    s3.put_bucket_notification_configuration(Bucket=name, NotificationConfiguration={})
    sqs.purge_queue(QueueUrl=wired.queue_url)
    lake = Lake(name, wired.queue_url, wired.dlq_url, s3, sqs)
    server = environment["AWS_ENDPOINT_URL"]
    with (
        own_database(environment) as database,
        front_of(server, lambda *_: None) as front,
    ):
        with_tables(database)
        own = {**environment, **lake.environment, **database, **settings}
        yield Service(lake, database, front, command_environment(os.environ, own))
    for url in (wired.queue_url, wired.dlq_url):
        sqs.delete_queue(QueueUrl=url)
