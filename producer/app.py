"""The one place where the producer's parts are put together.

Every `run_…` raises a SettingsInvalid or AwsUnusable before anything is sent; what fails later is
counted in the tally.
"""

import asyncio
import secrets
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from datetime import UTC, date, datetime

from producer.aws.s3 import open_lake
from producer.aws.sqs import open_queue
from producer.erp.client import open_erp
from producer.lake import Lake, LakeEntry
from producer.lease_table import Leases
from producer.metrics import CLOUDWATCH, Metrics
from producer.pulling import pull
from producer.pulling.daemon import Daemon, Round
from producer.pulling.history import BusinessDays
from producer.pulling.targets import Plan
from producer.sending import init_lake, publish, upload
from producer.sending.announcing import Announcer, AnnouncingLake
from producer.sending.upload_files import UploadFile
from producer.settings import Settings
from producer.tally import Tally
from runtime import systemd
from runtime.emf import EmfLines, keep_writing
from runtime.http_server import health_pages, served
from runtime.signals import stopping_by


@asynccontextmanager
async def _announced_lake(settings: Settings, concurrency: int) -> AsyncIterator[Lake]:
    """Open the lake; with EVENTS=publish it announces every object it writes."""
    async with open_lake(settings, concurrency=concurrency) as lake:
        if settings.events == "bucket":
            yield lake
            return
        async with open_queue(settings, concurrency=concurrency) as queue:
            yield AnnouncingLake(lake, Announcer(queue.send, settings.bucket_name))


async def run_pull(settings: Settings, plan: Plan, tally: Tally, *, force: bool) -> None:
    """Pull `plan` from the ERP of the settings into the lake of the settings."""
    async with (
        open_erp(settings) as erp,
        _announced_lake(settings, settings.pull_concurrency) as lake,
    ):
        options = pull.PullOptions(settings, force=force)
        await pull.pull(plan, erp.ask, lake, tally, options)


async def run_daemon(
    settings: Settings, plan_until: Callable[[date], Plan], every_seconds: float
) -> None:
    """Pull every so many seconds, from start to start, until SIGTERM or SIGINT."""
    stopping, loop = asyncio.Event(), asyncio.get_running_loop()

    def stop() -> None:
        systemd.notify(systemd.STOPPING)
        stopping.set()

    with stopping_by(lambda: loop.call_soon_threadsafe(stop)):
        await _run_rounds(settings, plan_until, every_seconds, stopping)


async def _run_rounds(
    settings: Settings,
    plan_until: Callable[[date], Plan],
    every_seconds: float,
    stopping: asyncio.Event,
) -> None:
    metrics = Metrics()
    daemon: Daemon | None = None

    async def readiness() -> str | None:
        return daemon.problem if daemon else "starting"

    pages = health_pages(_alive, readiness, metrics.registry)
    async with (
        # First: whoever asks how we are gets an answer while credentials are still fetched.
        served(pages, settings.http_host, settings.http_port),
        _open_round(settings, plan_until, metrics) as pull_round,
        asyncio.TaskGroup() as group,
    ):
        daemon = Daemon(pull_round, every_seconds, settings, metrics)
        systemd.notify(systemd.READY, "STATUS=pulling")
        namespace = settings.metrics_emf_namespace
        lines = EmfLines(metrics.registry, namespace, "producer", CLOUDWATCH)
        beside = {
            "watchdog": systemd.keep_watchdog(lambda: True),
            "metrics": keep_writing(lines, settings.metrics_emf_seconds),
        }
        tasks = [group.create_task(work, name=name) for name, work in beside.items()]
        await daemon.run(stopping)
        for task in tasks:
            task.cancel()


async def _alive() -> None:
    """Answer while the event loop runs."""


@asynccontextmanager
async def _open_round(
    settings: Settings, plan_until: Callable[[date], Plan], metrics: Metrics
) -> AsyncIterator[Round]:
    """Open what rounds need, and give what pulls one."""
    async with (
        open_erp(settings) as erp,
        _announced_lake(settings, settings.pull_concurrency) as lake,
        open_lake(settings, concurrency=1) as lease_table,  # never waits behind uploads
    ):
        owner = f"{socket.gethostname()}-{secrets.token_hex(8)}"
        leases = Leases(lease_table, owner, settings.run_lease_seconds)
        options = pull.PullOptions(
            settings, force=True, last_day_first=True, check_lease=leases.check
        )
        days = BusinessDays(settings)
        await options.digests.read(lease_table)

        async def pull_round(tally: Tally) -> bool:
            plan = plan_until(days.day_of(datetime.now(UTC)))
            async with leases.held(plan.stores) as ours:
                metrics.stores_leased_elsewhere.set(len(plan.stores) - len(ours))
                part = replace(plan, stores=ours)
                tally.total = part.target_count
                await pull.pull(part, erp.ask, lake, tally, options)
            await options.digests.keep(lease_table, plan.first_day)
            return bool(ours)

        yield pull_round


async def run_upload(
    settings: Settings, upload_files: Sequence[UploadFile], tally: Tally, *, check: bool
) -> None:
    """Upload files into the lake of the settings; `check` rejects those that are not JSON."""
    async with _announced_lake(settings, settings.upload_concurrency) as lake:
        await upload.upload(upload_files, lake, tally, settings, check=check)


async def run_publish(
    settings: Settings,
    selection: publish.Selection,
    tally: Tally,
    tell: Callable[[LakeEntry], None],
    per_second: float | None,
    *,
    force: bool = False,
) -> None:
    """Announce the objects of `selection`, so many per second; None only names them."""
    async with AsyncExitStack() as stack:
        lake = await stack.enter_async_context(open_lake(settings, concurrency=1))
        announcer = None
        if per_second is not None:
            queue = await stack.enter_async_context(open_queue(settings, concurrency=1))
            announcer = Announcer(queue.send, settings.bucket_name, per_second, force=force)
        await publish.publish(selection, lake, announcer, tally, tell)


async def run_init_lake(settings: Settings, *, dry_run: bool) -> tuple[list[str], list[str]]:
    """Create the missing folder markers; return them, and advice on the bucket's settings."""
    async with open_lake(settings, concurrency=1) as lake:
        found = await lake.bucket_settings()
        if settings.events == "publish":
            del found["notification"]  # the producer announces
        about = settings.bucket_name, settings.layout.prefixes, settings.queue_url
        advice = init_lake.advise(found, *about)
        return await init_lake.create_folders(lake, dry_run=dry_run), advice
