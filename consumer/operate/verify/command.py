"""`consumer verify`: whether the tables say what the lake says."""

from collections import Counter
from dataclasses import asdict
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer
from prometheus_client import CollectorRegistry, Gauge, write_to_textfile

from consumer.operate.totals.control_totals import verify_totals
from consumer.operate.totals.totals_file import Total
from consumer.operate.verify.differences import Difference
from consumer.operate.verify.plan import Chosen
from consumer.operate.verify.verifying import Verdict, Verifying
from consumer.settings import ConsumerSettings, DatabaseSettings
from runtime.errors import EXIT_FAILED, EXIT_USAGE
from runtime.terminal import (
    AsJson,
    fail,
    finish,
    print_json,
    print_table,
    progress,
    settings_of,
    tell,
)
from schemas.registry import ENDPOINTS_BY_NAME, Source

_COLUMNS = ("what", "row", "column", "table says", "lake says", "cause", "object")

Stores = Annotated[
    list[str] | None, typer.Option("--store", help="Only this store; may be repeated.")
]
FirstDay = Annotated[
    datetime | None,
    typer.Option("--from", formats=["%Y-%m-%d"], help="First business date. Default: the oldest."),
]
LastDay = Annotated[
    datetime | None,
    typer.Option("--to", formats=["%Y-%m-%d"], help="Last business date. Default: the newest."),
]
Endpoints = Annotated[
    list[str] | None,
    typer.Option("--endpoint", help="Only the tables of this endpoint; may be repeated."),
]
SettledMinutes = Annotated[
    int,
    typer.Option(
        min=0,
        help="Leave out objects without a ledger row that are younger: their messages may wait.",
    ),
]


def verify(  # noqa: PLR0913 - one for each option
    *,
    store: Stores = None,
    first: FirstDay = None,
    last: LastDay = None,
    endpoint: Endpoints = None,
    sample: Annotated[
        int | None,
        typer.Option(min=1, help="Only so many store-days at random, recent ones more often."),
    ] = None,
    settled_minutes: SettledMinutes = 15,
    metrics_file: Annotated[
        Path | None,
        typer.Option(help="Also write the result there, for node_exporter's textfile collector."),
    ] = None,
    mends: Annotated[
        bool, typer.Option("--repair", help="Load again what differs, after showing it.")
    ] = False,
    totals: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Compare v_daily_revenue with this CSV of store, day, net, tax, checks instead.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Prove that the tables say what the lake says; exit 1 unless they do.

    Reads the lake's documents by the same contracts and guards into tables of its own session and
    compares. Changes nothing without --repair. Consumers may be at work: what they commit after a
    store-day's snapshot does not count.
    """
    days = first and first.date(), last and last.date()
    if days[0] and days[1] and days[0] > days[1]:
        fail("--from lies after --to", EXIT_USAGE)
    stores = frozenset(one.strip() for one in store or ())
    if totals:
        if endpoint or sample or metrics_file or mends:
            fail("--totals goes with --store, --from, --to and --json only", EXIT_USAGE)
        if not _totals_are_equal(totals, stores, *days, as_json=as_json):
            raise typer.Exit(EXIT_FAILED)
        return
    settings = settings_of(ConsumerSettings)
    chosen = Chosen(stores, *days, _sources(endpoint), sample)
    verdict = run_verify(settings, chosen, settled_minutes, mends=mends, as_json=as_json)
    if metrics_file:
        _write_metrics(metrics_file, verdict)
    if not verdict.is_equal:
        raise typer.Exit(EXIT_FAILED)


def _totals_are_equal(
    path: Path, stores: frozenset[str], first: date | None, last: date | None, *, as_json: bool
) -> bool:
    def is_wanted(total: Total) -> bool:
        is_late = first is None or total.day >= first
        is_early = last is None or total.day <= last
        return is_late and is_early and (not stores or total.store in stores)

    return verify_totals(settings_of(DatabaseSettings), path, is_wanted, as_json=as_json)


def run_verify(
    settings: ConsumerSettings,
    chosen: Chosen,
    settled_minutes: int,
    *,
    mends: bool = False,
    as_json: bool = False,
) -> Verdict:
    """Verify with progress and print what was found, also when it is interrupted."""
    verifying = Verifying(settings, chosen, timedelta(minutes=settled_minutes))
    verdict = verifying.verdict

    def show(found: list[Difference]) -> None:
        if mends and not as_json:
            # Before anything is changed.
            print_table(_COLUMNS, (row for one in found for row in _rows(one)))

    is_done = False
    try:
        with progress("verifying", None) as advance:
            finish(verifying.run(advance, show, mends=mends))
        is_done = True
    finally:
        if as_json:
            print_json(_told(verdict, is_done=is_done))
        else:
            if verdict.differences and not mends:
                print_table(_COLUMNS, (row for one in verdict.differences for row in _rows(one)))
            typer.echo(_summary(verdict, is_done=is_done))
        if not is_done and verdict.next_day:
            tell(f"not verified to the end; go on with --from {verdict.next_day}")
    return verdict


def _sources(endpoints: list[str] | None) -> tuple[Source, ...]:
    known = [*ENDPOINTS_BY_NAME, Source.ERP.value]
    for name in endpoints or ():
        if name not in known:
            fail(f"--endpoint {name!r} is none of {', '.join(known)}", EXIT_USAGE)
    return tuple(Source(name) for name in endpoints) if endpoints else tuple(Source)


def _rows(one: Difference) -> list[tuple[Any, ...]]:
    table = f"{one.table} " if one.table else ""
    row = table + " ".join(str(value) for value in one.key.values())
    if one.bus_dt and str(one.bus_dt) not in row:
        row += f" ({one.bus_dt})"
    more = one.cause and one.cause.replace("_", " "), one.object_key
    # Of a row that stands on one side only, every column differs: its key says enough.
    changes = one.changes if one.kind == "different" else ()
    if not changes:
        return [(one.kind, row, None, None, None, *more)]
    return [(one.kind, row, was.column, was.table, was.lake, *more) for was in changes]


def _told(verdict: Verdict, *, is_done: bool) -> dict[str, Any]:
    return {
        "equal": verdict.is_equal and is_done,
        "complete": is_done,
        "store_days": verdict.store_days,
        "documents": verdict.documents,
        "under_way": verdict.waiting,
        "counts": verdict.counts,
        "mended": verdict.mended,
        "left_to_reconcile": verdict.left,
        "differences": [asdict(one) for one in verdict.differences],
    }


def _summary(verdict: Verdict, *, is_done: bool) -> str:
    total = sum(verdict.counts.values())
    counts = ", ".join(f"{count} {kind}" for kind, count in sorted(verdict.counts.items()))
    found = f"{total} difference{'s' * (total > 1)} ({counts})" if total else "no difference"
    parts = [f"{verdict.store_days} store-days, {verdict.documents} documents: {found}"]
    if total > len(verdict.differences):
        parts.append(f"the first {len(verdict.differences)} of them are told")
    if verdict.mended:
        parts.append(f"{verdict.mended} mended")
    if verdict.waiting:
        parts.append(f"{verdict.waiting} objects may still be under way and were left out")
    if verdict.left:
        parts.append(f"{len(verdict.left)} objects would be dead-lettered: run consumer reconcile")
    return "; ".join(parts) + ("" if is_done else "; not to the end")


def _write_metrics(path: Path, verdict: Verdict) -> None:
    registry = CollectorRegistry()
    found = Gauge(
        "coco_verify_differences", "What differs from the lake", ["kind"], registry=registry
    )
    for kind, count in Counter(verdict.counts).items():
        found.labels(kind).set(count)
    Gauge("coco_verify_store_days", "Store-days verified", registry=registry).set(
        verdict.store_days
    )
    ended = Gauge("coco_verify_ended_seconds", "When it ended, Unix time", registry=registry)
    ended.set_to_current_time()
    write_to_textfile(str(path), registry)
