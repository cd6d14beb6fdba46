"""Throughput by the number of consumer processes and by the size of the files."""

import multiprocessing
from collections.abc import Sequence
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Barrier
from time import perf_counter

from bench.databases import Server
from bench.documents import Document, byte_count, check_answers
from bench.loading import load_seconds
from consumer.memory import collect_garbage_seldom
from consumer.settings import DatabaseSettings

_PROCESSES = (1, 2, 3, 4)
_TIMEOUT_SECONDS = 120
_MEGABYTE = 1_000_000
# Checks in a file of about 10 kB, 100 kB, 1 MB and 10 MB, and how many such files.
_FILES = {"10 kB": (3, 300), "100 kB": (28, 40), "1 MB": (280, 6), "10 MB": (2800, 1)}


def by_processes(server: Server, documents: Sequence[Document]) -> dict[str, float]:
    """Return megabytes a second with one to four processes that share the documents by store."""
    rates = {}
    for count in _PROCESSES:
        with server.fresh("bench_processes") as database:
            seconds = _seconds_together(database, _shared_out(documents, count))
        rates[str(count)] = round(byte_count(documents) / _MEGABYTE / seconds, 2)
    return rates


def by_file_size(server: Server) -> dict[str, float]:
    """Return megabytes a second for files of guest checks of different sizes."""
    rates = {}
    for size, (checks, files) in _FILES.items():
        documents = check_answers(files, checks)
        with server.fresh("bench_sizes") as database:
            seconds = load_seconds(database, [document.fetched() for document in documents])
        rates[size] = round(byte_count(documents) / _MEGABYTE / seconds, 2)
    return rates


def _shared_out(documents: Sequence[Document], count: int) -> list[list[Document]]:
    stores = list(dict.fromkeys(document.store for document in documents))
    return [
        [document for document in documents if stores.index(document.store) % count == number]
        for number in range(count)
    ]


def _seconds_together(database: DatabaseSettings, shares: Sequence[Sequence[Document]]) -> float:
    """Return the seconds from the start of the first process's load to the end of the last."""
    context = multiprocessing.get_context("spawn")
    barrier, times = context.Barrier(len(shares)), context.Queue()
    processes = [
        context.Process(target=_load_share, args=(database, list(share), barrier, times))
        for share in shares
    ]
    for process in processes:
        process.start()
    spans: list[tuple[float, float]] = [times.get(timeout=_TIMEOUT_SECONDS) for _ in processes]
    for process in processes:
        process.join()
    return max(end for _, end in spans) - min(began for began, _ in spans)


def _load_share(
    database: DatabaseSettings,
    documents: Sequence[Document],
    barrier: Barrier,
    times: "Queue[tuple[float, float]]",
) -> None:
    collect_garbage_seldom()
    fetched = [document.fetched() for document in documents]
    barrier.wait(_TIMEOUT_SECONDS)
    began = perf_counter()  # the machine's clock: comparable between processes
    load_seconds(database, fetched)
    times.put((began, perf_counter()))
