"""The composition root: the one place that builds adapters and wires them together."""

import asyncio
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from functools import partial

import structlog
from psycopg_pool import AsyncConnectionPool

from consumer.aws.s3 import Lake, open_lake
from consumer.aws.sqs import Queues, open_queues
from consumer.drift.renames import read_aliases
from consumer.ingest.handler import Handler, Known, Ports
from consumer.ingest.in_hand import ByteBudget
from consumer.load.batcher import Batcher, BatchLimits, postgres_load
from consumer.load.database import open_pool, ping, watch_pool
from consumer.load.ledger import (
    DeadLetterRows,
    answer_again,
    count_recent_failures,
    loaded_before,
    record_entry,
)
from consumer.load.migrations.schema import check_schema
from consumer.load.standing import standing_records
from consumer.memory import collect_garbage_seldom, memory_limit_bytes, needed_bytes
from consumer.messages.breakers import Breakers, HeldMessages, OutageBreaker, Probe
from consumer.messages.dead_letters import DeadLetters
from consumer.messages.delivery_tasks import DeliveryTasks, Slots
from consumer.messages.failure_breaker import BurstLimits, FailureBreaker
from consumer.messages.leases import Leases
from consumer.messages.settlement import Terms
from consumer.messages.settler import Settler
from consumer.messages.worker import Limits, Worker
from consumer.metrics import CLOUDWATCH, REGISTRY
from consumer.operate.watch import keep_watch
from consumer.settings import ConsumerSettings
from consumer.spool import check_temporary_files
from consumer.supervision.expected_stores import announce_roster
from consumer.supervision.health import Health, Work
from consumer.supervision.heartbeats import Heartbeat
from consumer.supervision.progress import log_progress
from consumer.supervision.task_protection import TaskProtection, ecs_agent
from runtime import systemd
from runtime.emf import EmfLines, keep_writing
from runtime.http_server import served
from runtime.signals import leave_when_told, stopping_by
from schemas.aliases import Aliases

log = structlog.get_logger()

_RECEIVERS = 2
_HELD_SHARE = 2  # of the slots, half for messages that wait for something to be mended


async def run(settings: ConsumerSettings, until_idle_seconds: float | None = None) -> None:
    """Work the queue until SIGTERM or SIGINT, or until it stayed empty for that long.

    Raises:
        SettingsInvalid: the alias file cannot be used.
        SchemaMismatch: the tables are of an older or newer release.
        AccessDenied: database or queue refuse us.
        FailureBurst: too much failed for the queue ever to become empty.
    """
    leave_when_told()
    collect_garbage_seldom()
    aliases = read_aliases(settings.schema_aliases_file)
    async with AsyncExitStack() as stack:
        # Before all that is waited for: whoever asks how we are must get an answer meanwhile.
        health = Health()
        pages = served(health.pages(), settings.http_host, settings.http_port)
        await stack.enter_async_context(pages)
        await health.once_reachable(partial(check_schema, settings))
        worker, background = await _open(stack, settings, aliases, health, until_idle_seconds)
        loop = asyncio.get_running_loop()

        def stop() -> None:
            systemd.notify(systemd.STOPPING)
            worker.stop()

        with stopping_by(lambda: loop.call_soon_threadsafe(stop)):
            systemd.notify(systemd.READY, "STATUS=consuming")
            # A background task that fails takes the worker down.
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(work, name=name) for name, work in background.items()]
                await worker.run(until_idle_seconds)
                for task in tasks:
                    task.cancel()
        health.end()
        log.info("consumer_stopped")


async def _open(
    stack: AsyncExitStack,
    settings: ConsumerSettings,
    aliases: Aliases,
    health: Health,
    until_idle_seconds: float | None,
) -> tuple[Worker, dict[str, Coroutine[None, None, None]]]:
    """Wire a worker, and what runs beside it by name."""
    connections = settings.max_in_flight_messages
    queues = await stack.enter_async_context(open_queues(settings, connections))
    lake = await stack.enter_async_context(open_lake(settings, connections))
    # One session beyond the batcher's, so that ledger entries do not wait for batches.
    pool = await stack.enter_async_context(open_pool(settings, settings.loader_connections + 1))
    watch_pool(pool)
    visibility_seconds = await health.once_reachable(queues.main.visibility_timeout_seconds)
    backoff = settings.retry_base_seconds, settings.retry_max_seconds
    terms = Terms(settings.policy, *backoff, await health.once_reachable(queues.main.max_receives))
    failure_breaker = await health.once_reachable(partial(_failure_breaker, settings, pool))
    # From here on nothing is waited for: whether leases are extended in time is judged from now.
    leases = Leases(queues.main, visibility_seconds)
    probe, batcher = _probe(pool, lake, queues), _batcher(settings, pool)
    byte_budget = ByteBudget(settings.byte_budget_bytes)
    held = HeldMessages(max(1, settings.max_in_flight_messages // _HELD_SHARE))
    breakers = Breakers(byte_budget, OutageBreaker(probe), failure_breaker, held)
    record = partial(record_entry, pool, layout=settings.layout)
    rows = DeadLetterRows(pool)
    dead_letters = DeadLetters(queues.dead, lake, record, rows, settings.layout)
    settler = Settler(queues.main, dead_letters, leases, terms)
    was_loaded = loaded_before(pool, settings.layout)
    known = Known(standing_records(pool), answer_again(pool, settings.layout))
    ports = Ports(lake, batcher, record, was_loaded, leases.is_held, known)
    handler = Handler(settings, aliases, ports, byte_budget)
    slots = Slots(settings.max_in_flight_messages)
    tasks = DeliveryTasks(handler, settler, leases, terms, breakers, slots)
    limits = _limits(settings, until_idle_seconds)
    worker = Worker(queues.main, tasks, settler, leases, breakers, limits)
    background = _background(settings, worker, queues, lake, batcher)
    heartbeat = Heartbeat(pool, lambda: breakers.reason, settings.heartbeat_seconds)
    background["heartbeat"] = heartbeat.keep()
    background["roster"] = announce_roster(pool, settings.expected_stores)
    health.begin(Work(leases, breakers, probe))
    _log_start(settings, terms)
    return worker, background


def _background(
    settings: ConsumerSettings, worker: Worker, queues: Queues, lake: Lake, batcher: Batcher
) -> dict[str, Coroutine[None, None, None]]:
    """Return what runs beside the worker, by name."""
    background = {
        "load": batcher.run(),
        "log progress": log_progress(queues.main, settings.progress_log_seconds),
        "watch": keep_watch(settings, lake, settings.watch_seconds),
        "metrics": keep_writing(
            EmfLines(REGISTRY, settings.metrics_emf_namespace, "consumer", CLOUDWATCH),
            settings.metrics_emf_seconds,
        ),
        "watchdog": systemd.keep_watchdog(lambda: worker.leases.is_on_time),
    }
    if settings.ecs_agent_uri:
        in_hand, breakers = worker.tasks.handler.in_hand, worker.breakers
        long_seconds = settings.shutdown_timeout_seconds / 2
        protection = TaskProtection(
            ecs_agent(settings.ecs_agent_uri),
            lambda: not breakers.reason and in_hand.is_costly(long_seconds),
        )
        background["protect task"] = protection.keep(worker.stopping)
    return background


def _log_start(settings: ConsumerSettings, terms: Terms) -> None:
    limit, needed = memory_limit_bytes(), needed_bytes(settings.byte_budget_bytes)
    log.info(
        "consumer_started",
        queue_url=settings.queue_url,
        max_receives=terms.max_receives,
        byte_budget_bytes=settings.byte_budget_bytes,
        memory_limit_bytes=limit,
    )
    if limit is not None and limit < needed:
        remedy = f"raise the limit to {needed} or lower MAX_IN_FLIGHT_BYTES"
        log.warning("memory_limit_exceeded", needed_bytes=needed, remedy=remedy)


async def _failure_breaker(settings: ConsumerSettings, pool: AsyncConnectionPool) -> FailureBreaker:
    """Begin with probes after a failure burst, or restarts would dead-letter on and on."""
    limits = BurstLimits(
        settings.failure_burst_min_objects,
        settings.failure_burst_percent,
        settings.failure_burst_window_seconds,
    )
    # As many as may have ended when the limit was reached.
    latest = 100 * limits.min_objects // limits.percent
    failed = 0 if limits.is_off else await count_recent_failures(pool, latest)
    # Those that were counted last were not dead-lettered.
    begins_cautious = not limits.is_off and failed >= 0.7 * limits.min_objects
    if begins_cautious:
        log.warning("failure_burst_found", failed=failed, of_latest=latest)
    return FailureBreaker(limits, begins_cautious=begins_cautious)


def _batcher(settings: ConsumerSettings, pool: AsyncConnectionPool) -> Batcher:
    wait_seconds = settings.batch_max_wait_milliseconds / 1000
    limits = BatchLimits(settings.batch_max_rows, settings.batch_max_bytes, wait_seconds)
    return Batcher(postgres_load(pool), limits, settings.loader_connections)


def _probe(pool: AsyncConnectionPool, lake: Lake, queues: Queues) -> Probe:
    async def probe() -> None:
        await ping(pool)
        await lake.ping()
        await queues.main.depth()
        await asyncio.to_thread(check_temporary_files)

    return probe


def _limits(settings: ConsumerSettings, until_idle_seconds: float | None) -> Limits:
    wait = settings.receive_wait_seconds
    if until_idle_seconds is not None:
        wait = max(1, min(wait, int(until_idle_seconds)))
    return Limits(_RECEIVERS, wait, settings.shutdown_timeout_seconds)
