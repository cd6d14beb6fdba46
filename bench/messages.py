"""Small messages through the whole consumer, beside a bare loop of the SDK on the same stand-in.

Both run as programs of their own. What starting costs is taken off: each works few messages, then
many, and the difference counts. Processor time is Python's alone; the consumer also loads.
"""

import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from statistics import median

from bench import stand_in
from bench.databases import Server
from bench.documents import Document, simulator
from bench.timing import REPEATS
from schemas.registry import Source

_FEW, _MANY = 100, 500
_FIRST_DAY = date(2020, 1, 1)
_STORE = "001"
_PORT = "18390"  # of the consumer's health page, which nobody asks
# About 1 kB and 10 kB: an endpoint's answer with that many checks a day.
_SIZES = {"1 kB": (Source("getFiscalInvoice"), 3), "10 kB": (Source.GUEST_CHECKS, 2)}


@dataclass(frozen=True, slots=True)
class Cost:
    """What a message of one size takes: milliseconds of processor time, and how many a second."""

    consumer_milliseconds: float
    bare_milliseconds: float
    consumer_rate: float
    bare_rate: float

    @property
    def cpu_share(self) -> float:
        """The consumer's processor time, as a multiple of the bare loop's."""
        return self.consumer_milliseconds / self.bare_milliseconds

    @property
    def rate_share(self) -> float:
        """Messages a second, likewise."""
        return self.consumer_rate / self.bare_rate


def measure(
    server: Server, few: int = _FEW, many: int = _MANY, rounds: int = REPEATS
) -> dict[str, Cost]:
    """Work messages of each size by both programs, in turns; a fresh database each time."""
    return {
        size: _measure(server, documents(source, checks, many), few, rounds)
        for size, (source, checks) in _SIZES.items()
    }


def documents(source: Source, checks_per_day: int, count: int) -> dict[str, bytes]:
    """Return small answers of one store, day after day, by key."""
    erp = simulator(checks_per_day)
    found = {}
    for number in range(count):
        day = _FIRST_DAY + timedelta(days=number)
        document = Document(source, _STORE, day, erp.answer(source, _STORE, day))
        found[document.fetched().identity.event.key] = document.data
    return found


def _measure(server: Server, objects: dict[str, bytes], few: int, rounds: int) -> Cost:
    consumer, bare = [], []
    with stand_in.running(objects) as lake:
        for _ in range(rounds):
            bare.append(_worked(lake, list(objects), few, ["bench.bare_loop"], {}))
            with server.fresh("bench_messages") as database:
                where = {"DB_NAME": database.db_name}
                command = ["consumer", "run", "--until-idle", "1"]
                consumer.append(_worked(lake, list(objects), few, command, where))
    (ours_cpu, ours_rate), (bare_cpu, bare_rate) = (
        zip(*runs, strict=True) for runs in (consumer, bare)
    )
    return Cost(median(ours_cpu), median(bare_cpu), median(ours_rate), median(bare_rate))


def _worked(
    lake: stand_in.StandIn,
    keys: Sequence[str],
    few: int,
    command: Sequence[str],
    where: dict[str, str],
) -> tuple[float, float]:
    """Return milliseconds of processor time for a message, and messages a second."""
    spent = []
    for count in (few, len(keys)):
        lake.announce(list(keys[:count]))
        spent.append(_seconds([*command, *([str(count)] if not where else [])], lake, where))
    milliseconds = (spent[1] - spent[0]) / (len(keys) - few) * 1000
    return milliseconds, len(keys) / lake.seconds()


def _seconds(command: Sequence[str], lake: stand_in.StandIn, where: dict[str, str]) -> float:
    """Run a program to its end; return its seconds of processor time."""
    quiet = {"LOG_LEVEL": "ERROR", "HTTP_PORT": _PORT, "WATCH_SECONDS": "0"}
    environment = os.environ | lake.environment | quiet | where
    process = subprocess.Popen(
        [sys.executable, "-m", *command], env=environment, stdout=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, command
    return usage.ru_utime + usage.ru_stime
