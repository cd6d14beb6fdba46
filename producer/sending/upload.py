"""Uploading: the way of one file into the lake."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime

import structlog

from producer.errors import FileRejected, LakeError, QueueError
from producer.lake import Lake, LakeObject
from producer.pool import work_through
from producer.sending.upload_files import UploadFile, read_upload_file
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
    """Store every file unchanged; one that cannot be stored does not stop the others.

    Repeating it replaces the objects by the same content. Cancelling leaves whole objects only.

    Args:
        upload_files: Files and their keys.
        lake: Where they go.
        tally: Counts every file that was tried.
        concurrency: How many files are held in memory at once.
        max_file_bytes: The largest file accepted.
        check: Whether the files must be JSON.
    """

    async def upload_one(upload_file: UploadFile) -> None:
        if parse_key(upload_file.key) is None:
            log.warning(
                "key_not_recognized", key=upload_file.key, outcome="the consumer rejects it"
            )
        try:
            # In a thread: parsing a large file would hold up the other transfers.
            body = await asyncio.to_thread(
                read_upload_file, upload_file, max_bytes=max_file_bytes, check=check
            )
            await lake.put(_lake_object(upload_file, body))
        except (FileRejected, LakeError, QueueError) as error:
            tally.add_failure(upload_file.subject(), error)
        else:
            log.debug("file_stored", key=upload_file.key, size_bytes=len(body))
            tally.add_stored(len(body))

    await work_through(tally.until_stopped(upload_files), upload_one, concurrency)


def _lake_object(upload_file: UploadFile, body: bytes) -> LakeObject:
    uploaded_at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    metadata = {"file-name": upload_file.path.name, "uploaded-at": uploaded_at}
    return LakeObject(upload_file.key, body, metadata, upload_file.content_encoding)
