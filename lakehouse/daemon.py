"""The daemon: an export every so often; a round that fails is tried again at the next one."""

import asyncio
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import structlog

from lakehouse.errors import Stopped
from lakehouse.metrics import CLOUDWATCH, Metrics
from lakehouse.settings import LakehouseSettings
from runtime import systemd
from runtime.emf import EmfLines, keep_writing
from runtime.errors import ReportedError
from runtime.http_server import health_pages, served
from runtime.signals import stopping_by

log = structlog.get_logger()

#: Exports what is queued; asks between two files whether to stop.
Round = Callable[[Callable[[], bool]], dict[str, Any]]


class Daemon:
    """Runs a round every so many seconds, from start to start, until it is told to stop."""

    def __init__(self, run_round: Round, every_seconds: float, metrics: Metrics) -> None:
        self._run_round = run_round
        self._every_seconds = every_seconds
        self._metrics = metrics
        self._is_stopped = threading.Event()
        self.problem: str | None = "no round has ended yet"

    async def alive(self) -> None:
        """Answer while the event loop runs."""

    async def readiness(self) -> str | None:
        """Return why the last round failed; None when it did not."""
        return self.problem

    async def run(self, stop: asyncio.Event) -> None:
        """Run rounds until `stop` is set; one under way commits nothing, or all of its batch."""
        while not stop.is_set():
            started = time.monotonic()
            work = asyncio.create_task(asyncio.to_thread(self._round), name="round")
            stopping = asyncio.create_task(stop.wait(), name="stop_signal")
            await asyncio.wait({work, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if stop.is_set():
                self._is_stopped.set()
            await work
            stopping.cancel()
            with suppress(TimeoutError):
                async with asyncio.timeout(started + self._every_seconds - time.monotonic()):
                    await stop.wait()

    def _round(self) -> None:
        started = time.monotonic()
        try:
            done = self._run_round(self._is_stopped.is_set)
        except Stopped:
            log.info("round_stopped", outcome="what is not exported stays queued")
            return
        except ReportedError as error:
            self.problem = str(error)
            self._note("failed", started)
            log.error("round_failed", reason=self.problem)  # noqa: TRY400 - no bug, no traceback
            return
        self.problem = None
        self._note("exported" if done["batches"] else "nothing_changed", started)
        self._metrics.rows.inc(done["rows"])
        self._metrics.bytes.inc(done["bytes"])
        self._metrics.last_success.set_to_current_time()
        if done["batches"]:
            log.info("round_ended", **done)

    def _note(self, result: str, started: float) -> None:
        self._metrics.rounds.labels(result).inc()
        self._metrics.round_seconds.set(time.monotonic() - started)


async def run_daemon(settings: LakehouseSettings, run_round: Round, every_seconds: float) -> None:
    """Run rounds until SIGTERM or SIGINT, with health and metrics if HTTP_PORT is set."""
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    metrics = Metrics()
    daemon = Daemon(run_round, every_seconds, metrics)
    pages = health_pages(daemon.alive, daemon.readiness, metrics.registry)
    with stopping_by(lambda: loop.call_soon_threadsafe(stop.set)):
        async with served(pages, settings.http_host, settings.http_port):
            systemd.notify(systemd.READY, "STATUS=exporting")
            lines = EmfLines(
                metrics.registry, settings.metrics_emf_namespace, "lakehouse", CLOUDWATCH
            )
            beside = {
                "watchdog": systemd.keep_watchdog(lambda: True),
                "metrics": keep_writing(lines, settings.metrics_emf_seconds),
            }
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(work, name=name) for name, work in beside.items()]
                await daemon.run(stop)
                for task in tasks:
                    task.cancel()
