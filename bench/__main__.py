"""Measures everything once and writes `bench/results.json`: `make bench`."""

from collections.abc import Callable
from time import perf_counter
from typing import TypeVar

from rich.console import Console

from bench import (
    dlt_peer,
    drift_cost,
    growing,
    huge,
    iceberg,
    messages,
    parsing,
    peers,
    reloading,
    scaling,
    verifying,
)
from bench.databases import Server
from bench.documents import byte_count, store_days
from bench.report import Findings, Parsing, Scaling, as_json, show, write
from consumer.memory import collect_garbage_seldom
from consumer.settings import DatabaseSettings

_MANY_DAYS, _SOME_DAYS, _FEW_DAYS = 12, 8, 4
_MEGABYTE = 1_000_000

_progress = Console(stderr=True, style="dim", highlight=False)
_Result = TypeVar("_Result")


def main() -> None:
    """Run every measurement on the server that DB_HOST names."""
    dlt_peer.install()
    server = Server(DatabaseSettings())
    many, some, few = (store_days(count) for count in (_MANY_DAYS, _SOME_DAYS, _FEW_DAYS))
    collect_garbage_seldom()  # as the service does
    ours, bare = _step("parsing", lambda: parsing.measure(few))
    found = Findings(
        parsing=Parsing(ours, bare, byte_count(few) / _MEGABYTE),
        limit=_step("raw COPY", lambda: peers.against_copy(server, many)),
        peers=_step("dlt, row by row", lambda: peers.against_others(server, few)),
        reloads=_step("reloads", lambda: reloading.measure(server, few)),
        drift=_step("drift", lambda: drift_cost.measure(server, many)),
        scaling=_step(
            "scaling",
            lambda: Scaling(scaling.by_processes(server, some), scaling.by_file_size(server)),
        ),
        huge=_step("huge export", lambda: huge.measure(server)),
        messages=_step("messages", lambda: messages.measure(server)),
        growth=_step("growth", lambda: growing.measure(server)),
        feed=_step("change feed", lambda: iceberg.measure_feed(server)),
        iceberg=_step("lakehouse", lambda: iceberg.measure(server, some)),
        proof=_step("verify", lambda: verifying.measure(server, some)),
    )
    results = as_json(found, {"postgresql": server.version(), "dlt": dlt_peer.version()})
    write(results)
    show(found, results)


def _step(name: str, work: Callable[[], _Result]) -> _Result:
    began = perf_counter()
    result = work()
    _progress.print(f"bench: {name}: {perf_counter() - began:.0f} s")
    return result


if __name__ == "__main__":
    main()
