"""What one run of the benchmark found: as a table for people, as JSON for programs."""

import json
import os
import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from bench import iceberg
from bench.drift_cost import DriftCost
from bench.growing import Growth
from bench.huge import Huge
from bench.iceberg import Costs, Feed, IcebergCopy
from bench.idling import Latency
from bench.messages import Cost
from bench.peers import Limit, Peers
from bench.reloading import Reloads
from bench.timing import Seconds
from bench.verifying import Proven

RESULTS = Path(__file__).with_name("results.json")


@dataclass(frozen=True, slots=True)
class Parsing:
    """From bytes to validated rows beside bare parsing, and how many bytes."""

    ours: Seconds
    orjson: Seconds
    megabytes: float


@dataclass(frozen=True, slots=True)
class Scaling:
    """Megabytes a second by number of processes and by size of files."""

    by_processes: Mapping[str, float]
    by_file_size: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Findings:
    """Everything one run measured."""

    limit: Limit
    peers: Peers
    parsing: Parsing
    reloads: Reloads
    drift: DriftCost
    scaling: Scaling
    huge: Huge
    growth: Growth
    proof: Proven
    messages: Mapping[str, Cost]  # by size
    iceberg: IcebergCopy
    feed: Feed
    idle: Latency


def as_json(found: Findings, versions: Mapping[str, str]) -> dict[str, Any]:
    """Return the named ratios, what they come from, and where they were measured."""
    return {
        "loader_share_of_copy": _ratio(found.limit.copy, found.limit.loader),
        "loader_vs_dlt": _ratio(found.peers.dlt, found.peers.loader),
        "loader_vs_dlt_flat": _ratio(found.peers.dlt_flat, found.peers.loader),
        "loader_vs_row_by_row": _ratio(found.peers.row_by_row, found.peers.loader),
        "parse_share_of_orjson": _ratio(found.parsing.orjson, found.parsing.ours),
        "drift_share_of_load": round(found.drift.share, 3),
        "reload_unchanged_rows_rewritten": found.reloads.unchanged_rows,
        "first_load_cpu_seconds": round(found.reloads.first.median, 3),
        "first_load_vs_in_full": _ratio(found.reloads.first, found.reloads.first_in_full),
        **{
            f"reload_{name}_share": _ratio(runs, found.reloads.first)
            for name, runs in found.reloads.again.items()
        },
        "huge_peak_mb": round(found.huge.peak_mb, 1),
        "verify_vs_load": _ratio(found.proof.proof, found.proof.load),
        "store_days_loaded_a_minute": round(found.proof.loaded_a_minute, 1),
        "message_cpu_vs_bare_loop": round(found.messages["1 kB"].cpu_share, 3),
        "message_rate_vs_bare_loop": round(found.messages["1 kB"].rate_share, 3),
        "messages": {size: asdict(cost) for size, cost in found.messages.items()},
        "idle_latency_p50_seconds": round(found.idle.p50, 3),
        "idle_latency_p99_seconds": round(found.idle.p99, 3),
        "batch_cost_growth": round(found.growth.batch_cost_growth, 3),
        "view_of_a_day_milliseconds": dict(found.growth.views_milliseconds),
        **iceberg.as_json(found.iceberg, found.feed),
        "megabytes_per_second_by_processes": dict(found.scaling.by_processes),
        "megabytes_per_second_by_file_size": dict(found.scaling.by_file_size),
        "rows": found.limit.rows,
        "rows_after_growth": found.growth.rows,
        "huge": {"bytes": found.huge.size_bytes, "seconds": round(found.huge.seconds, 2)},
        "seconds": {name: runs.to_json() for name, runs in _runs(found).items()},
        "environment": {
            "python": platform.python_version(),
            "cores": os.cpu_count(),
            "machine": platform.machine(),
            **versions,
        },
    }


def write(results: Mapping[str, Any]) -> None:
    """Write `bench/results.json`."""
    RESULTS.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")


def show(found: Findings, results: Mapping[str, Any]) -> None:
    """Print the table."""
    table = Table(title="Batcher: bytes to committed rows, default settings, one process")
    for heading in ("measured", "ratio", "ours (s)", "theirs (s)", "spread"):
        table.add_column(heading, justify="left" if heading == "measured" else "right")
    for name, key, ours, theirs in _compared(found):
        seconds = (f"{ours.median:.2f}", f"{theirs.median:.2f}")
        table.add_row(name, f"{results[key]:.2f}", *seconds, f"{ours.spread:.0%}")
    drift = found.drift
    seconds = (f"{min(drift.counting.runs):.2f}", f"{min(drift.without.runs):.2f}")
    table.add_row("drift, share of a load's time", f"{drift.share:.3f}", *seconds)
    table.add_row("unchanged reload, rows rewritten", str(found.reloads.unchanged_rows))
    huge = f"peak memory of a {found.huge.size_bytes / 1e6:.0f} MB export (MB)"
    table.add_row(huge, f"{found.huge.peak_mb:.0f}", f"{found.huge.seconds:.1f}")
    proof, load = found.proof.proof, found.proof.load
    seconds = (f"{proof.median:.2f}", f"{load.median:.2f}")
    name = "verify, against the first load"
    table.add_row(name, f"{results['verify_vs_load']:.2f}", *seconds, f"{proof.spread:.0%}")
    name = "rebuild, store-days a minute that one consumer loads"
    table.add_row(name, f"{found.proof.loaded_a_minute:.0f}")
    growth = found.growth
    seconds = (f"{growth.grown.median:.3f}", f"{growth.small.median:.3f}")
    spread = f"{growth.grown.spread:.0%}"
    table.add_row("batch of a grown database", f"{growth.batch_cost_growth:.2f}", *seconds, spread)
    for view, milliseconds in growth.views_milliseconds.items():
        table.add_row(f"{view}, one day of a store (ms)", f"{milliseconds:.1f}")
    for size, cost in found.messages.items():
        row = (f"{size} message (ms of CPU; bare loop's)", f"{cost.cpu_share:.2f}")
        cpu = cost.consumer_milliseconds, cost.bare_milliseconds
        table.add_row(*row, *(f"{each:.2f}" for each in cpu))
    table.add_row("lakehouse, idle (s of CPU)", f"{results['lakehouse_idle_seconds']:.2f}")
    table.add_row("lakehouse, peak memory (MB)", f"{found.iceberg.peak_mb:.0f}")
    idle = found.idle
    table.add_row("idle, PUT to commit: p99, p50 (s)", "", f"{idle.p99:.3f}", f"{idle.p50:.3f}")
    for name, rates in (
        ("processes", found.scaling.by_processes),
        ("file size", found.scaling.by_file_size),
    ):
        for step, rate in rates.items():
            table.add_row(f"MB/s, {name} {step}", f"{rate:.1f}")
    limit = found.limit
    rows = f"{limit.row_count:,} rows; loader {limit.row_count / limit.loader.median:,.0f} rows/s"
    console = Console()
    console.print(table)
    console.print(f"{rows}; details in {RESULTS}", style="dim")


def _ratio(over: Seconds, under: Seconds) -> float:
    return round(over.median / under.median, 3)


def _runs(found: Findings) -> dict[str, Seconds]:
    return {
        "loader": found.limit.loader,
        "copy": found.limit.copy,
        "loader_beside_peers": found.peers.loader,
        "dlt": found.peers.dlt,
        "dlt_flat": found.peers.dlt_flat,
        "row_by_row": found.peers.row_by_row,
        "bytes_to_rows": found.parsing.ours,
        "orjson": found.parsing.orjson,
        "counting_drift": found.drift.counting,
        "without_drift": found.drift.without,
        "first_load_cpu": found.reloads.first,
        "first_load_in_full_cpu": found.reloads.first_in_full,
        **{f"reload_{name}_cpu": runs for name, runs in found.reloads.again.items()},
        "verify": found.proof.proof,
        "first_load_beside_verify": found.proof.load,
        "batch_of_small_database": found.growth.small,
        "batch_of_grown_database": found.growth.grown,
        "lakehouse_own_cpu": found.iceberg.costs.own,
        "lakehouse_export_cpu": found.iceberg.costs.export,
        "lakehouse_plain_parquet_cpu": found.iceberg.costs.plain_parquet,
        "lakehouse_parquet_writer_cpu": found.iceberg.costs.parquet_writer,
        "load_noted_cpu": found.feed.noted,
        "load_not_noted_cpu": found.feed.not_noted,
    }


def _compared(found: Findings) -> tuple[tuple[str, str, Seconds, Seconds], ...]:
    """Return name and key of what is compared, with our times and theirs."""
    limit, peers, parsing, reloads = found.limit, found.peers, found.parsing, found.reloads
    costs, feed = found.iceberg.costs, found.feed
    return (
        ("share of raw COPY", "loader_share_of_copy", limit.loader, limit.copy),
        ("times dlt", "loader_vs_dlt", peers.loader, peers.dlt),
        ("times dlt, tuned", "loader_vs_dlt_flat", peers.loader, peers.dlt_flat),
        ("times row by row", "loader_vs_row_by_row", peers.loader, peers.row_by_row),
        (
            "bytes to rows, of orjson",
            "parse_share_of_orjson",
            parsing.ours,
            parsing.orjson,
        ),
        ("export, of Parquet alone", "lakehouse_vs_parquet_writer", *_to_parquet(costs)),
        ("export, of plain files", "lakehouse_vs_plain_parquet", costs.export, costs.plain_parquet),
        ("load with its change feed", "load_with_feed", feed.noted, feed.not_noted),
        ("first load, of one read in full", "first_load_vs_in_full", *_first(reloads)),
        *(
            (f"reload, {name}", f"reload_{name}_share", runs, reloads.first)
            for name, runs in reloads.again.items()
        ),
    )


def _first(reloads: Reloads) -> tuple[Seconds, Seconds]:
    return reloads.first, reloads.first_in_full


def _to_parquet(costs: Costs) -> tuple[Seconds, Seconds]:
    return costs.own, costs.parquet_writer
