"""Uploading: the way of one file into the lake."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime

import structlog

from producer.errors import ProducerError
from producer.lake import Lake, LakeObject
from producer.pool import work_through
from producer.sending.upload_files import UploadFile, content_encoding, read_upload_file
from producer.settings import Settings
from producer.tally import Tally

log = structlog.get_logger(__name__)


async def upload(
    upload_files: Sequence[UploadFile], lake: Lake, tally: Tally, settings: Settings, *, check: bool
) -> None:
    """Store every file unchanged; one that cannot be stored does not stop the others.

    Repeating it replaces the objects by the same content. Memory holds as many as go at once.
    """

    async def upload_one(upload_file: UploadFile) -> None:
        key = upload_file.key
        if not upload_file.is_document:
            log.warning("key_not_recognized", key=key, outcome="the consumer rejects it")
        uploaded_at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        metadata = {"file-name": upload_file.path.name, "uploaded-at": uploaded_at}
        try:
            # In a thread: parsing a large file would hold up the other transfers.
            max_bytes = settings.upload_max_file_bytes
            body = await asyncio.to_thread(
                read_upload_file, upload_file, max_bytes=max_bytes, check=check
            )
            await lake.put(LakeObject(key, body, metadata, content_encoding(body)))
        except ProducerError as error:
            tally.add_failure(upload_file.subject(), error)
        else:
            log.debug("file_stored", key=key, size_bytes=len(body))
            tally.add_stored(len(body))

    await work_through(upload_files, upload_one, settings.upload_concurrency, tally)
