"""The field of a chaos run: queue and tables of its own, a fleet of consumers, faults that strike.

A fault is a generator: it does something to the field, then says how many seconds to leave it
alone. Several faults at once take turns in one thread.
"""

import heapq
import itertools
import json
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess
from pathlib import Path
from random import Random
from secrets import token_hex
from types import ModuleType

import psycopg

from tests.support.chaos_lake import Announced, FullLake
from tests.support.programs import Start, query
from tests.support.proxies import Proxy
from tests.support.servers import OwnPostgres
from tests.support.warm import start_warm

VISIBILITY_SECONDS = 5
MAX_RECEIVES = 10
DEADLINE_SECONDS = 120.0
STOP_SECONDS = 10  # what a consumer is given to stop


class Fleet:
    """Consumer processes, numbered; each start writes a log of its own.

    They are forked (`tests/support/warm.py`), since many are killed as soon as they have begun.
    """

    def __init__(self, environment: Mapping[str, str], directory: Path) -> None:
        self._environment = dict(environment)
        self._directory = directory
        self._processes: dict[int, BaseProcess] = {}
        self._logs: dict[int, Path] = {}
        self.starts = 0

    def set_out(self, size: int, settings: Mapping[str, str]) -> None:
        """Start the first ones; those that replace them get the same settings."""
        self._environment |= settings
        for number in range(1, size + 1):
            self.start(number)

    def start(self, number: int) -> None:
        """Start one."""
        self.starts += 1
        streams = self._directory / f"consumer-{number}-start-{self.starts}"
        self._logs[number] = streams / "stderr"
        start = Start(("consumer", "run"), self._environment, Path.cwd())
        self._processes[number] = start_warm(start, streams)

    def kill(self, number: int) -> None:
        """Kill one with SIGKILL."""
        self._processes[number].kill()
        self._processes.pop(number).join()

    def stop(self, number: int) -> None:
        """Ask one to stop with SIGTERM; it must end in time and say that all is well."""
        process = self._processes.pop(number)
        process.terminate()
        process.join(STOP_SECONDS + 5)
        code = process.exitcode
        assert code == 0, f"exit code {code}:\n{self._tail(number)}"

    def at_work(self) -> list[int]:
        """Tell which have begun to receive."""
        return [n for n in self._processes if '"consumer_started"' in self._log(n)]

    def assert_alive(self) -> None:
        """Fail if one ended by itself."""
        for number, process in self._processes.items():
            assert process.is_alive(), f"code {process.exitcode}:\n{self._tail(number)}"

    def stop_all(self) -> None:
        """Stop those that run."""
        for number in list(self._processes):
            self.stop(number)

    def abandon(self) -> None:
        """Kill what a failed test left behind."""
        for number in list(self._processes):
            self.kill(number)

    def said(self, event: str) -> int:
        """Count how often the consumers logged an event."""
        needle = json.dumps(event).encode()
        logs = self._directory.glob("consumer-*/stderr")
        return sum(log.read_bytes().count(needle) for log in logs)

    def _log(self, number: int) -> str:
        """Return what one has said since it was last started; it may still be starting."""
        log = self._logs[number]
        return log.read_text(encoding="utf-8") if log.exists() else ""

    def _tail(self, number: int) -> str:
        return self._log(number)[-3000:]


@dataclass
class Field:
    """Everything a fault can strike, and what it did."""

    lake: FullLake
    queue_url: str
    dlq_url: str
    objects: tuple[Announced, ...]
    database: Mapping[str, str]
    postgres: OwnPostgres
    endpoint: Proxy
    fleet: Fleet
    random: Random
    strikes: Counter[str] = field(default_factory=Counter)
    _ended: int = 0

    @property
    def unfinished(self) -> int:
        """How many objects had no end state when the database was last asked."""
        with suppress(psycopg.OperationalError):
            [(self._ended,)] = query(self.database, "SELECT count(*) FROM ingested_objects")
        return len(self.objects) - self._ended

    def struck(self, fault: str) -> None:
        """Count a strike, which must have come while there was work to do."""
        assert self.unfinished > 0, f"the load was over before {fault} struck"
        self.strikes[fault] += 1

    def depths(self, url: str) -> tuple[int, int, int]:
        """Count a queue's messages: visible, in flight, delayed."""
        answer = self.lake.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])
        names = ("", "NotVisible", "Delayed")
        found = answer["Attributes"]
        visible, in_flight, delayed = (
            int(found[f"ApproximateNumberOfMessages{name}"])  # type: ignore[literal-required]  # names of three attributes
            for name in names
        )
        return visible, in_flight, delayed

    def suffer(self, faults: Iterable[Iterator[float]]) -> None:
        """Let faults take turns until each has come to its end."""
        numbers = itertools.count()
        turns = [(time.monotonic(), next(numbers), fault) for fault in faults]
        heapq.heapify(turns)
        while turns:
            due, _, fault = heapq.heappop(turns)
            # The rhythm of the fault, not a wait for something.
            time.sleep(max(0.0, due - time.monotonic()))
            pause_seconds = next(fault, None)
            self.fleet.assert_alive()
            if pause_seconds is not None:
                heapq.heappush(turns, (time.monotonic() + pause_seconds, next(numbers), fault))

    def finish(self) -> None:
        """Wait until every object has its end and the queue is empty, then stop the fleet."""
        deadline = time.monotonic() + DEADLINE_SECONDS + len(self.objects) / 20
        while self.unfinished or sum(self.depths(self.queue_url)):
            left = f"{self.unfinished} unfinished, queue {self.depths(self.queue_url)}"
            assert time.monotonic() < deadline, left
            self.fleet.assert_alive()
            time.sleep(0.2)
        self.fleet.stop_all()


@contextmanager
def queues_of(lake: FullLake, hook: ModuleType) -> Iterator[tuple[str, str]]:
    """Give a queue and its dead-letter queue, wired as in production but for the time-lapse.

    Who is killed gives nothing back, so a kill every second uses up receives as years do not.
    """
    name = f"chaos-{token_hex(6)}"
    dlq_url = hook.ensure_queue(lake.sqs, f"{name}-dlq", hook.dlq_attributes())
    attributes = hook.queue_attributes(hook.queue_arn(lake.sqs, dlq_url))
    redrive = json.loads(attributes["RedrivePolicy"]) | {"maxReceiveCount": MAX_RECEIVES}
    attributes |= {
        "RedrivePolicy": json.dumps(redrive),
        "VisibilityTimeout": str(VISIBILITY_SECONDS),
    }
    queue_url = hook.ensure_queue(lake.sqs, name, attributes)
    yield queue_url, dlq_url
    for url in (queue_url, dlq_url):
        lake.sqs.delete_queue(QueueUrl=url)


def through(proxy: Proxy, url: str) -> str:
    """Lead a URL through a proxy."""
    scheme, _, rest = url.partition("://")
    _, _, path = rest.partition("/")
    return f"{scheme}://127.0.0.1:{proxy.port}/{path}"


Fault = Callable[[Field], Iterator[float]]
