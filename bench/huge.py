"""A guest-check export of 300 MB: how it is written, and the memory that loading it needs."""

import multiprocessing
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from multiprocessing.queues import Queue
from pathlib import Path

from bench.databases import Server, row_counts
from bench.documents import Document, simulator
from bench.loading import load_seconds
from bench.memory import peak_megabytes
from consumer.memory import collect_garbage_seldom
from consumer.settings import DatabaseSettings
from consumer.spool import Spool
from schemas.registry import Source

HUGE_BYTES = 300_000_000
_STORE, _DAY = "99 CB CB", date(2024, 1, 1)
_DISTINCT_CHECKS = 1000
_FIRST_ID = 5_000_000_000
_CHUNK_BYTES = 1 << 20
_TIMEOUT_SECONDS = 300


@dataclass(frozen=True, slots=True)
class Huge:
    """What loading one huge export took; `peak_mb` is the whole process's resident memory."""

    size_bytes: int
    checks: int
    seconds: float
    peak_mb: float


def measure(server: Server, size_bytes: int = HUGE_BYTES) -> Huge:
    """Load one huge export in a process of its own."""
    context = multiprocessing.get_context("spawn")
    answers: Queue[tuple[float, float]] = context.Queue()
    with (
        tempfile.TemporaryDirectory(prefix="coco-bench-") as directory,
        server.fresh("bench_huge") as database,
    ):
        path = Path(directory) / "export.json"
        checks = write_export(path, size_bytes)
        process = context.Process(target=_load, args=(database, path, answers))
        process.start()
        seconds, peak_mb = answers.get(timeout=_TIMEOUT_SECONDS)
        process.join()
        assert row_counts(database)["guest_checks"] == checks
        return Huge(path.stat().st_size, checks, seconds, peak_mb)


def write_export(path: Path, size_bytes: int) -> int:
    """Write an export of about that size, the same bytes every time; return its checks.

    Memory holds a thousand checks, which come again under other ids.
    """
    written = count = 0
    with path.open("wb") as file:
        file.write(f'{{"curUTC":"2024-06-01T12:00:00","locRef":"{_STORE}","guestChecks":['.encode())
        for count, check in enumerate(_checks(), start=1):
            written += file.write(check if count == 1 else b"," + check)
            if written >= size_bytes:
                break
        file.write(b"]}")
    return count


def _checks() -> Iterator[bytes]:
    """Yield checks without end. A check's id is also the beginning of its lines' ids."""
    answer = simulator(_DISTINCT_CHECKS).answer(Source.GUEST_CHECKS, _STORE, _DAY)
    start = b'{"guestCheckId":'
    _, *rests = answer.removesuffix(b"]}").split(start)
    number = _FIRST_ID
    while True:
        for rest in rests:
            own = rest[: rest.index(b",")]
            yield start + rest.rstrip(b",").replace(own, b"%d" % number)
            number += 1


def _load(database: DatabaseSettings, path: Path, answers: "Queue[tuple[float, float]]") -> None:
    collect_garbage_seldom()
    spool = Spool(_CHUNK_BYTES)
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            spool.append(chunk)
    fetched = Document(Source.GUEST_CHECKS, _STORE, _DAY, b"").fetched()
    seconds = load_seconds(database, [replace(fetched, data=spool)])
    answers.put((seconds, peak_megabytes()))
