"""The composition root: the one place that builds adapters and wires them together."""

import asyncio
import signal
from collections.abc import AsyncIterator, Coroutine, Iterable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import structlog
from psycopg_pool import AsyncConnectionPool

from consumer.admission import Admission
from consumer.breaker import Breaker, Probe
from consumer.deadletters import DeadLetters, ErrorLogs
from consumer.errors import DatabaseUnavailable, SchemaMismatch, SettingsInvalid
from consumer.handler import Handler, Ports, Rules
from consumer.health import health_app, serve
from consumer.interpreter import collect_garbage_seldom
from consumer.leases import Leases
from consumer.ledger import postgres_ledger
from consumer.loader import BatchLimits, Loader, postgres_load
from consumer.migrate import schema_head
from consumer.postgres import open_pool, ping, schema_version
from consumer.s3 import Lake, open_lake
from consumer.settings import ConsumerSettings, LakeSettings
from consumer.settlement import Backoff
from consumer.sqs import SqsQueue, open_sqs
from consumer.usual import UsualFields, keep_sharing, share
from consumer.worker import Desk, Limits, Worker
from schemas.aliases import Aliases, AliasesInvalid, load_aliases

log = structlog.get_logger()

_RECEIVERS = 2
_DATABASE_PAUSE_SECONDS = 2.0
_STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)


@dataclass(frozen=True, slots=True)
class Queues:
    """The main queue and its dead-letter queue."""

    main: SqsQueue
    dead: SqsQueue


@asynccontextmanager
async def open_queues(settings: LakeSettings, connections: int = 10) -> AsyncIterator[Queues]:
    """Hold both queues while the block runs."""
    async with open_sqs(settings, connections) as client:
        yield Queues(SqsQueue(client, settings.queue_url), SqsQueue(client, settings.dlq_url))


async def run(settings: ConsumerSettings, until_idle_seconds: float | None = None) -> None:
    """Work the queue until SIGTERM or SIGINT, or until it stayed empty for that long.

    Raises:
        SettingsInvalid: the alias file cannot be used.
        SchemaMismatch: the tables are of an older or newer release.
        Transient: the queue could not be asked about at start.
    """
    collect_garbage_seldom()
    aliases = read_aliases(settings.schema_aliases_file)
    with _stop_signals() as stopping:
        await _wait_for_schema(settings, stopping)
        if not stopping.is_set():
            await _run(settings, aliases, stopping, until_idle_seconds)


async def _run(
    settings: ConsumerSettings,
    aliases: Aliases,
    stopping: asyncio.Event,
    until_idle_seconds: float | None,
) -> None:
    async with AsyncExitStack() as stack:
        connections = settings.max_in_flight_messages
        queues = await stack.enter_async_context(open_queues(settings, connections))
        lake = await stack.enter_async_context(open_lake(settings, connections))
        # One session beyond the loader's, so that ledger entries do not wait for batches.
        pool = await stack.enter_async_context(open_pool(settings, settings.loader_connections + 1))
        visibility_seconds = await queues.main.visibility_timeout_seconds()
        loader = _loader(settings, pool)
        logs = ErrorLogs(lake)
        record = postgres_ledger(pool)
        usual = UsualFields()
        ports = Ports(lake, loader, logs, record, usual)
        probe = _probe(pool, lake, queues)
        admission = Admission(settings.max_in_flight_bytes)
        leases, breaker = Leases(queues.main, visibility_seconds), Breaker(probe)
        desk = Desk(
            Handler(
                _rules(settings, aliases),
                ports,
                admission,
                asyncio.Semaphore(settings.decode_threads),
            ),
            DeadLetters(queues.dead, logs, record),
            leases,
            admission,
            breaker,
            Backoff(settings.retry_base_seconds, settings.retry_max_seconds),
        )
        worker = Worker(queues.main, desk, _limits(settings, until_idle_seconds))
        log.info("started", visibility_seconds=visibility_seconds, queue_url=settings.queue_url)
        await share(usual, pool)
        background = [loader.run(), keep_sharing(usual, pool), _pass_on(stopping, worker)]
        if settings.http_port is not None:
            pages = health_app(leases, breaker, probe)
            background.append(serve(pages, settings.http_host, settings.http_port))
        await _work(worker, background, until_idle_seconds)
        await share(usual, pool)
        log.info("stopped")


@contextmanager
def _stop_signals() -> Iterator[asyncio.Event]:
    """Turn the signals that ask to stop into an event."""
    loop, stopping = asyncio.get_running_loop(), asyncio.Event()
    for number in _STOP_SIGNALS:
        loop.add_signal_handler(number, stopping.set)
    try:
        yield stopping
    finally:
        for number in _STOP_SIGNALS:
            loop.remove_signal_handler(number)


async def _pass_on(stopping: asyncio.Event, worker: Worker) -> None:
    await stopping.wait()
    worker.stop()


async def _wait_for_schema(settings: ConsumerSettings, stopping: asyncio.Event) -> None:
    """Wait until the database answers, and refuse tables that this release does not know."""
    needed = schema_head()
    while not stopping.is_set():
        try:
            found = await schema_version(settings)
        except DatabaseUnavailable as error:
            log.warning("database_unavailable", error=str(error))
            await _pause(stopping, _DATABASE_PAUSE_SECONDS)
            continue
        if found == needed:
            return
        raise SchemaMismatch(
            f"the database is at schema {found or 'none'}, this release needs {needed}; "
            "run `consumer migrate`, or deploy the newer release if the tables are newer"
        )


def _loader(settings: ConsumerSettings, pool: AsyncConnectionPool) -> Loader:
    wait_seconds = settings.batch_max_wait_milliseconds / 1000
    limits = BatchLimits(settings.batch_max_rows, settings.batch_max_bytes, wait_seconds)
    return Loader(postgres_load(pool), limits, settings.loader_connections)


def _probe(pool: AsyncConnectionPool, lake: Lake, queues: Queues) -> Probe:
    async def probe() -> None:
        await ping(pool)
        await lake.ping()
        await queues.main.depth()

    return probe


async def _pause(stopping: asyncio.Event, seconds: float) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await stopping.wait()


async def _work(
    worker: Worker,
    background: Iterable[Coroutine[None, None, None]],
    until_idle_seconds: float | None,
) -> None:
    """Run the worker; a background task that fails takes it down."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(coroutine) for coroutine in background]
        await worker.run(until_idle_seconds)
        for task in tasks:
            task.cancel()


def read_aliases(path: str | None) -> Aliases:
    """Read the shipped renames and those of SCHEMA_ALIASES_FILE.

    Raises:
        SettingsInvalid: the file cannot be read or is not of the documented form.
    """
    if path is None:
        return load_aliases()
    try:
        return load_aliases(Path(path).read_text(encoding="utf-8"), path)
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsInvalid(f"SCHEMA_ALIASES_FILE: cannot read {path}: {error}") from error
    except AliasesInvalid as error:
        raise SettingsInvalid(str(error)) from error


def _rules(settings: ConsumerSettings, aliases: Aliases) -> Rules:
    return Rules(
        settings.bucket_name,
        aliases,
        settings.max_object_bytes,
        settings.max_decompressed_bytes,
        settings.stream_above_bytes,
    )


def _limits(settings: ConsumerSettings, until_idle_seconds: float | None) -> Limits:
    wait = settings.receive_wait_seconds
    if until_idle_seconds is not None:
        wait = max(1, min(wait, int(until_idle_seconds)))
    return Limits(
        settings.max_in_flight_messages, _RECEIVERS, wait, settings.shutdown_timeout_seconds
    )
