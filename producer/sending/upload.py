"""Uploading: what one file goes through on its way into the lake."""

import asyncio
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

import structlog

from producer.errors import FileRejectedError, LakeError, QueueError
from producer.lake import Lake, LakeObject
from producer.pool import work_through
from producer.sending.upload_files import UploadFile, read_shipment
from producer.tally import Tally
from schemas.keys import parse_key

log = structlog.get_logger(__name__)


async def upload(
    upload_files: Sequence[UploadFile],
    lake: Lake,
    tally: Tally,
    *,
    concurrency: int,
    max_file_bytes: int,
    check: bool,
) -> None:
    """Store every file as it is; one that cannot be stored does not stop the others.

    Repeating it replaces the objects by the same content. Cancelling leaves whole objects only.

    Args:
        upload_files: Files and their keys.
        lake: Where they go.
        tally: Told about every file that was tried.
        concurrency: How many files are held in memory at once.
        max_file_bytes: The largest file taken.
        check: Whether the files must be JSON.
    """

    async def upload_one(upload_file: UploadFile) -> None:
        if parse_key(upload_file.key) is None:
            log.warning("key.of_no_source", key=upload_file.key, outcome="the consumer rejects it")
        try:
            # In a thread: parsing a large file would hold up the other transfers.
            body = await asyncio.to_thread(
                read_shipment, upload_file, max_bytes=max_file_bytes, check=check
            )
            await lake.put(
                LakeObject(
                    upload_file.key, body, _metadata(upload_file), upload_file.content_encoding
                )
            )
        except (FileRejectedError, LakeError, QueueError) as exc:
            tally.add_failure(upload_file.subject(), exc)
        else:
            log.debug("file.stored", key=upload_file.key, size_bytes=len(body))
            tally.add_stored(len(body))

    await work_through(_until_stopped(upload_files, tally), upload_one, concurrency)


def _until_stopped(upload_files: Sequence[UploadFile], tally: Tally) -> Iterator[UploadFile]:
    for upload_file in upload_files:
        if tally.stopped_by is not None:
            return
        yield upload_file


def _metadata(upload_file: UploadFile) -> dict[str, str]:
    return {
        "file-name": upload_file.path.name,
        "uploaded-at": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
    }
