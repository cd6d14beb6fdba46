"""A lake of documents that is filled once, and announced to every run in S3's own words."""

import json
import secrets
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from random import Random
from types import ModuleType
from typing import Any
from urllib.parse import unquote_plus

from types_boto3_s3 import S3Client
from types_boto3_sqs import SQSClient

from tests.support.chaos_documents import Document
from tests.support.oracle import Put

Version = tuple[str, str]  # an object's key and version id

THREADS = 8
TEST_EVENT = '{"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "chaos"}'


@dataclass(frozen=True)
class Announced:
    """An object version in the lake, and the record with which S3 announced it."""

    document: Document
    version: Version
    record: dict[str, Any]


@dataclass(frozen=True)
class FullLake:
    """A versioned bucket with everything that runs announce."""

    bucket: str
    objects: tuple[Announced, ...]
    s3: S3Client
    sqs: SQSClient


@dataclass(frozen=True)
class Truth:
    """What the oracle is told of the objects of a run."""

    puts: Sequence[Put]

    @property
    def stores(self) -> set[str]:
        """The stores that they are about."""
        return {put.store for put in self.puts}


def fill_lake(
    s3: S3Client, sqs: SQSClient, hook: ModuleType, documents: Sequence[Document]
) -> FullLake:
    """Put documents into a new bucket, wired as in production, and keep what S3 said of them."""
    name = f"chaos-{secrets.token_hex(6)}"
    wired = hook.wire(s3, sqs, hook.Names(bucket=name, queue=name, dlq=f"{name}-dlq"))
    s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})

    def put(document: Document) -> Version:
        answer = s3.put_object(Bucket=name, Key=document.key, Body=document.body)
        return document.key, answer["VersionId"]

    with ThreadPoolExecutor(THREADS) as pool:
        versions = dict(zip(pool.map(put, documents), documents, strict=True))
    records = {}
    while len(records) < len(documents):
        answer = sqs.receive_message(
            QueueUrl=wired.queue_url, MaxNumberOfMessages=10, WaitTimeSeconds=5
        )
        for message in answer["Messages"]:
            for record in json.loads(message["Body"]).get("Records", ()):
                records[version_of(record)] = record
    for url in (wired.queue_url, wired.dlq_url):
        sqs.delete_queue(QueueUrl=url)
    for version, document in versions.items():
        if document.is_to_vanish:
            s3.delete_object(Bucket=name, Key=version[0], VersionId=version[1])
    objects = tuple(
        Announced(document, version, records[version]) for version, document in versions.items()
    )
    return FullLake(name, objects, s3, sqs)


def version_of(record: dict[str, Any]) -> Version:
    """Read which object version a record of an event is about."""
    described = record["s3"]["object"]
    return unquote_plus(described["key"]), described["versionId"]


def announce(
    sqs: SQSClient, queue_url: str, objects: Iterable[Announced], times: int, random: Random
) -> int:
    """Send events in any order, some with several records, among some that ask for nothing."""
    records = [one.record for one in objects for _ in range(times)]
    random.shuffle(records)
    bodies = [TEST_EVENT] * 3
    while records:
        size = random.choice((1, 1, 1, 1, 3))
        bodies.append(json.dumps({"Records": records[:size]}))
        records = records[size:]
    random.shuffle(bodies)

    def send(chunk: list[str]) -> None:
        entries = [{"Id": str(number), "MessageBody": body} for number, body in enumerate(chunk)]
        answer = sqs.send_message_batch(QueueUrl=queue_url, Entries=entries)
        assert not answer.get("Failed")

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(send, _tens(bodies)))
    return len(bodies)


def _tens(bodies: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(bodies), 10):
        yield bodies[start : start + 10]
