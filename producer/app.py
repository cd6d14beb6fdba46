"""The one place where the producer's parts are put together."""

from collections.abc import Sequence

from producer import pull, upload
from producer.erp import open_erp
from producer.files import Shipment
from producer.s3 import open_lake
from producer.settings import Settings
from producer.tally import Tally


async def run_pull(settings: Settings, plan: pull.Plan, tally: Tally) -> None:
    """Pull `plan` from the ERP of the settings into the lake of the settings.

    Raises:
        ConfigurationError: The ERP's address is not set; nothing was sent.
        LakeClosedError: The AWS configuration is unusable; nothing was sent.
    """
    async with (
        open_erp(settings) as erp,
        open_lake(settings, concurrency=settings.pull_concurrency) as lake,
    ):
        await pull.pull(
            plan,
            erp,
            lake,
            tally,
            concurrency=settings.pull_concurrency,
            stop_after_failures=settings.pull_stop_after_failures,
        )


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
