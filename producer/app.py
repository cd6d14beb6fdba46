"""The one place where the producer's parts are put together."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from producer import publish, pull, upload
from producer.announcing import AnnouncingLake
from producer.business_days import business_days
from producer.erp import open_erp
from producer.files import Shipment
from producer.lake import Lake, LakeEntry
from producer.plan import Plan
from producer.s3 import open_lake
from producer.settings import Settings
from producer.sqs import open_queue
from producer.tally import Tally


@asynccontextmanager
async def _announced_lake(settings: Settings, concurrency: int) -> AsyncIterator[Lake]:
    """Hold the lake, which announces what is written when the settings want that."""
    async with open_lake(settings, concurrency=concurrency) as lake:
        if settings.events == "bucket":
            yield lake
            return
        async with open_queue(settings, concurrency=concurrency) as queue:
            yield AnnouncingLake(lake, queue, settings.bucket_name)


def manner(settings: Settings, *, force: bool) -> pull.Manner:
    """Return how the settings want answers to be pulled."""
    return pull.Manner(
        concurrency=settings.pull_concurrency,
        stop_after_failures=settings.pull_stop_after_failures,
        days=business_days(settings),
        force=force,
        gzip=settings.pull_gzip,
    )


async def run_pull(settings: Settings, plan: Plan, tally: Tally, *, force: bool) -> None:
    """Pull `plan` from the ERP of the settings into the lake of the settings.

    Raises:
        ConfigurationError: The ERP's address is not set; nothing was sent.
        LakeClosedError: The AWS configuration is unusable; nothing was sent.
    """
    async with (
        open_erp(settings) as erp,
        _announced_lake(settings, settings.pull_concurrency) as lake,
    ):
        await pull.pull(plan, erp, lake, tally, manner(settings, force=force))


async def run_upload(
    settings: Settings, shipments: Sequence[Shipment], tally: Tally, *, check: bool
) -> None:
    """Upload `shipments` into the lake of the settings.

    Raises:
        LakeClosedError: The AWS configuration is unusable; nothing was sent.
    """
    async with _announced_lake(settings, settings.upload_concurrency) as lake:
        await upload.upload(
            shipments,
            lake,
            tally,
            concurrency=settings.upload_concurrency,
            max_file_bytes=settings.upload_max_file_bytes,
            check=check,
        )


async def run_publish(
    settings: Settings,
    selection: publish.Selection,
    tally: Tally,
    tell: Callable[[LakeEntry], None],
    *,
    dry_run: bool,
) -> None:
    """Announce the objects of `selection`, or only tell which they are.

    Raises:
        ConfigurationError: QUEUE_URL is not set; nothing was sent.
        LakeClosedError: The AWS configuration is unusable; nothing was sent.
        QueueClosedError: As above.
    """
    rate = settings.publish_events_per_second
    async with open_lake(settings, concurrency=1) as lake:
        if dry_run:
            unsent = publish.Announcer(None, settings.bucket_name, per_second=1_000_000)
            await publish.publish(selection, lake, unsent, tally, tell)
            return
        async with open_queue(settings, concurrency=1) as queue:
            announcer = publish.Announcer(queue, settings.bucket_name, rate)
            await publish.publish(selection, lake, announcer, tally, tell)
