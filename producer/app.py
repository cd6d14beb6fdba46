"""The one place where the producer's parts are put together."""

from collections.abc import Sequence

from producer import pull, upload
from producer.business_days import business_days
from producer.erp import open_erp
from producer.files import Shipment
from producer.plan import Plan
from producer.s3 import open_lake
from producer.settings import Settings
from producer.tally import Tally


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
        open_lake(settings, concurrency=settings.pull_concurrency) as lake,
    ):
        await pull.pull(plan, erp, lake, tally, manner(settings, force=force))


async def run_upload(
    settings: Settings, shipments: Sequence[Shipment], tally: Tally, *, check: bool
) -> None:
    """Upload `shipments` into the lake of the settings.

    Raises:
        LakeClosedError: The AWS configuration is unusable; nothing was sent.
    """
    async with open_lake(settings, concurrency=settings.upload_concurrency) as lake:
        await upload.upload(
            shipments,
            lake,
            tally,
            concurrency=settings.upload_concurrency,
            max_file_bytes=settings.upload_max_file_bytes,
            check=check,
        )
