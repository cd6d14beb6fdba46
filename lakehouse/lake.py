"""`processed/` in the bucket: `latest.json`, and which objects there are."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import cache
from typing import Any, Protocol

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from lakehouse.errors import Conflict, LakehouseError
from lakehouse.settings import LakehouseSettings

PREFIX = "processed/"
LATEST_KEY = f"{PREFIX}latest.json"
_KEYS_PER_CALL = 1000


@dataclass(frozen=True, slots=True)
class TableState:
    """Where a table stands: the metadata file that engines open, and its snapshot."""

    metadata_location: str
    snapshot_id: int | None


@dataclass(frozen=True, slots=True)
class Latest:
    """What `latest.json` says: the tables as of one moment in PostgreSQL.

    `complete`: whether nothing was queued at that moment beside what was exported, so that the
    tables are exactly PostgreSQL's.
    """

    export_id: str
    snapshot_time: str
    complete: bool
    tables: dict[str, TableState]

    @property
    def text(self) -> str:
        """The document."""
        return json.dumps(asdict(self), indent=2) + "\n"

    @staticmethod
    def read(text: str) -> "Latest":
        """Read the document; raises LakehouseError if it is none of ours."""
        try:
            told = json.loads(text)
            tables = {name: TableState(**state) for name, state in told.pop("tables").items()}
            return Latest(**told, tables=tables)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise LakehouseError(
                f"{LATEST_KEY} is not what we write: delete it, and the next export writes it anew"
            ) from error


@dataclass(frozen=True, slots=True)
class StoredObject:
    """An object in `processed/`."""

    key: str
    size_bytes: int
    modified: datetime


class Lake(Protocol):
    """What an export and `clean` need of the place where tables lie."""

    def read_latest(self) -> tuple[Latest | None, str | None]:
        """Return what was published last, and the tag of that version; None if nothing was."""

    def publish(self, latest: Latest, replaces: str | None) -> None:
        """Write `latest.json` in the place of a version; raises Conflict if it is another."""

    def objects(self) -> Iterator[StoredObject]:
        """Give every object."""

    def delete(self, keys: Iterable[str]) -> None:
        """Delete objects."""

    def uploads(self) -> Iterator[tuple[str, str, datetime]]:
        """Give key, id and time of every upload that was begun and not ended."""

    def abort(self, key: str, upload_id: str) -> None:
        """Forget an upload and its parts."""


class S3Lake:
    """The lake in S3."""

    def __init__(self, client: Any, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def read_latest(self) -> tuple[Latest | None, str | None]:
        """Return what was published last, and its ETag."""
        try:
            answer = self._client.get_object(Bucket=self._bucket, Key=LATEST_KEY)
        except ClientError as error:
            if error.response["Error"]["Code"] == "NoSuchKey":
                return None, None
            raise
        with answer["Body"] as body:
            return Latest.read(body.read().decode()), answer["ETag"]

    def publish(self, latest: Latest, replaces: str | None) -> None:
        """Write `latest.json`, unless another exporter has since.

        Without the condition, one that was held up would put an older state in its place.
        """
        condition = {"IfMatch": replaces} if replaces else {"IfNoneMatch": "*"}
        try:
            self._client.put_object(
                Bucket=self._bucket,
                Key=LATEST_KEY,
                Body=latest.text.encode(),
                ContentType="application/json",
                **condition,
            )
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code in ("PreconditionFailed", "ConditionalRequestConflict", "NoSuchKey"):
                raise Conflict from error
            raise

    def objects(self) -> Iterator[StoredObject]:
        """Give every object under `processed/`."""
        pages = self._client.get_paginator("list_objects_v2")
        for page in pages.paginate(Bucket=self._bucket, Prefix=PREFIX):
            for entry in page.get("Contents", ()):
                yield StoredObject(entry["Key"], entry["Size"], entry["LastModified"])

    def uploads(self) -> Iterator[tuple[str, str, datetime]]:
        """Give key, id and time of every upload that was begun and not ended."""
        pages = self._client.get_paginator("list_multipart_uploads")
        for page in pages.paginate(Bucket=self._bucket, Prefix=PREFIX):
            for entry in page.get("Uploads", ()):
                yield entry["Key"], entry["UploadId"], entry["Initiated"]

    def abort(self, key: str, upload_id: str) -> None:
        """Forget an upload and its parts."""
        self._client.abort_multipart_upload(Bucket=self._bucket, Key=key, UploadId=upload_id)

    def delete(self, keys: Iterable[str]) -> None:
        """Delete objects, a thousand a call; raises OSError if one could not be."""
        waiting = list(keys)
        while waiting:
            part, waiting = waiting[:_KEYS_PER_CALL], waiting[_KEYS_PER_CALL:]
            told = {"Objects": [{"Key": key} for key in part], "Quiet": True}
            answer = self._client.delete_objects(Bucket=self._bucket, Delete=told)
            for failed in answer.get("Errors", ()):
                raise OSError(f"{failed['Key']} cannot be deleted: {failed['Code']}")


def open_lake(settings: LakehouseSettings) -> S3Lake:
    """Return the lake of the settings."""
    secret, token = settings.aws_secret_access_key, settings.aws_session_token
    client = _client(
        settings.aws_region,
        settings.aws_endpoint_url,
        settings.aws_access_key_id,
        secret and secret.get_secret_value(),
        token and token.get_secret_value(),
    )
    return S3Lake(client, settings.bucket_name)


@cache
def _client(
    region: str | None, endpoint: str | None, key: str | None, secret: str | None, token: str | None
) -> Any:
    """Return a client, the same for every round; it renews the credentials of a role by itself."""
    session = boto3.Session(key, secret, token, region_name=region)
    return session.client(
        "s3",
        region_name=session.region_name or "us-east-1",
        endpoint_url=endpoint,
        config=Config(
            connect_timeout=10,
            read_timeout=60,
            retries={"mode": "standard"},
            s3={"addressing_style": "path" if endpoint else "auto"},
        ),
    )
