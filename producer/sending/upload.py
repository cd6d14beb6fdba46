"""Uploading: what one file goes through on its way into the lake."""

import asyncio
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

import structlog

from producer.errors import FileRejectedError, LakeError, QueueError
from producer.lake import Lake, LakeObject
from producer.pool import work_through
from producer.sending.upload_files import Shipment, read_shipment
from producer.tally import Tally
from schemas.keys import parse_key

log = structlog.get_logger(__name__)


async def upload(
    shipments: Sequence[Shipment],
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
        shipments: Files and their keys.
        lake: Where they go.
        tally: Told about every file that was tried.
        concurrency: How many files are held in memory at once.
        max_file_bytes: The largest file taken.
        check: Whether the files must be JSON.
    """

    async def upload_one(shipment: Shipment) -> None:
        if parse_key(shipment.key) is None:
            log.warning("key.of_no_source", key=shipment.key, outcome="the consumer rejects it")
        try:
            # In a thread: parsing a large file would hold up the other transfers.
            body = await asyncio.to_thread(
                read_shipment, shipment, max_bytes=max_file_bytes, check=check
            )
            await lake.put(
                LakeObject(shipment.key, body, _metadata(shipment), shipment.content_encoding)
            )
        except (FileRejectedError, LakeError, QueueError) as exc:
            tally.add_failure(shipment.subject(), exc)
        else:
            log.debug("file.stored", key=shipment.key, size_bytes=len(body))
            tally.add_stored(len(body))

    await work_through(_until_stopped(shipments, tally), upload_one, concurrency)


def _until_stopped(shipments: Sequence[Shipment], tally: Tally) -> Iterator[Shipment]:
    for shipment in shipments:
        if tally.stopped_by is not None:
            return
        yield shipment


def _metadata(shipment: Shipment) -> dict[str, str]:
    return {
        "file-name": shipment.path.name,
        "uploaded-at": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
    }
