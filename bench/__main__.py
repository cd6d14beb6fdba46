"""Measures everything once and writes `bench/results.json`: `make bench`.

`devstack run -- python -m bench NAME…` runs only these measurements, and prints what each found.
"""

import sys
from collections.abc import Callable
from time import perf_counter
from typing import Any

from rich.console import Console

from bench import (
    dlt_peer,
    drift_cost,
    growing,
    huge,
    iceberg,
    idling,
    messages,
    parsing,
    peers,
    reloading,
    scaling,
    verifying,
)
from bench.databases import Server
from bench.documents import Document, byte_count, store_days
from bench.page import write_page
from bench.report import Findings, Parsing, Scaling, as_json, show, write
from consumer.memory import collect_garbage_seldom
from consumer.settings import DatabaseSettings

_MANY_DAYS, _SOME_DAYS, _FEW_DAYS = 12, 8, 4
_MEGABYTE = 1_000_000

_progress = Console(stderr=True, style="dim", highlight=False)
Days = list[Document]


def main(chosen: list[str]) -> None:
    """Run the measurements that were chosen, or all, on the server that DB_HOST names."""
    server = Server(DatabaseSettings())
    many, some, few = (store_days(count) for count in (_MANY_DAYS, _SOME_DAYS, _FEW_DAYS))
    collect_garbage_seldom()  # as the service does
    steps = _steps(server, many, some, few)
    if unknown := set(chosen) - steps.keys():
        sys.exit(f"unknown: {', '.join(sorted(unknown))}; there are {', '.join(steps)}")
    if not chosen or "peers" in chosen:
        dlt_peer.install()
    found = {name: _measured(name, steps[name]) for name in chosen or steps}
    if chosen:
        _progress.print(found)
        return
    findings = Findings(**found)
    results = as_json(findings, {"postgresql": server.version(), "dlt": dlt_peer.version()})
    write(results)
    write_page()
    show(findings, results)


def _steps(server: Server, many: Days, some: Days, few: Days) -> dict[str, Callable[[], Any]]:
    """Return what measures each field of the findings."""
    return {
        "parsing": lambda: Parsing(*parsing.measure(few), byte_count(few) / _MEGABYTE),
        "limit": lambda: peers.against_copy(server, many),
        "peers": lambda: peers.against_others(server, few),
        "reloads": lambda: reloading.measure(server, few),
        "drift": lambda: drift_cost.measure(server, many),
        "scaling": lambda: Scaling(
            scaling.by_processes(server, some), scaling.by_file_size(server)
        ),
        "huge": lambda: huge.measure(server),
        "messages": lambda: messages.measure(server),
        "idle": lambda: idling.measure(server),
        "growth": lambda: growing.measure(server),
        "feed": lambda: iceberg.measure_feed(server),
        "iceberg": lambda: iceberg.measure(server, some),
        "proof": lambda: verifying.measure(server, some),
    }


def _measured(name: str, work: Callable[[], Any]) -> Any:
    began = perf_counter()
    result = work()
    _progress.print(f"bench: {name}: {perf_counter() - began:.0f} s")
    return result


if __name__ == "__main__":
    main(sys.argv[1:])
