"""Growth: the same batches into a small database and into one that years have filled.

The history is written by SQL: five million lines in 88 stores of 57,000 each, and a million ledger
rows, whose newest are the store-days of list answers. Both databases then load the same new days,
in turns.
"""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from statistics import median
from time import perf_counter

import psycopg
from psycopg import AsyncConnection

from bench.cpu import own_seconds, process_seconds
from bench.databases import Server, count_rows
from bench.documents import WRITTEN_AT, Document, simulator
from bench.timing import Seconds
from consumer.ingest.prepare import prepare
from consumer.load.database import open_pool
from consumer.load.document import LoadRequest
from consumer.load.transaction import load_batch
from consumer.settings import DatabaseSettings
from schemas.aliases import load_aliases
from schemas.registry import ENDPOINTS

_STORE = "s001"
_FIRST_NEW_DAY = date(2024, 1, 1)
CHECKS_PER_DAY = 100
_ROUNDS = 12
WARM_ROUNDS = 3  # until sessions have planned and pages are read
_MEGABYTES = 10**9
_LATER = timedelta(hours=1)

# Nobody else is in these databases: foreign keys need no check of every row.
_FILL = """
SET session_replication_role = replica;
INSERT INTO guest_checks (
    store_id, guest_check_id, opn_bus_dt, last_updated_utc, clsd_flag, gst_cnt, sub_ttl, chk_ttl,
    pay_ttl, dsc_ttl, as_of, object_id
)
SELECT
    's' || lpad(store::text, 3, '0'), store * 1000000 + day * 1000 + number,
    date '2023-01-01' + day, timestamptz '2023-01-01Z' + day * interval '1 day', true, 2, 95, 105,
    105, 0, timestamptz '2023-01-02Z' + day * interval '1 day', day
FROM generate_series(1, {stores}) AS store, generate_series(1, {check_days}) AS day,
    generate_series(1, 50) AS number;
INSERT INTO taxes (store_id, guest_check_id, tax_num, txbl_sls_ttl, tax_coll_ttl, tax_rate)
SELECT store_id, guest_check_id, number, 95, 10, 10
FROM guest_checks, generate_series(1, 2) AS number;
INSERT INTO menu_items (store_id, menu_item_id, first_seen, last_seen)
SELECT 's' || lpad(store::text, 3, '0'), item, '2023-01-01', '2023-03-01'
FROM generate_series(1, {stores}) AS store, generate_series(6000, 6199) AS item;
-- Indexes are built at once in the end: that takes a third of the time.
ALTER TABLE detail_lines DROP CONSTRAINT detail_lines_pkey;
DROP INDEX detail_lines_menu_item;
INSERT INTO detail_lines (
    store_id, guest_check_id, guest_check_line_item_id, rvc_num, line_num, dtl_id, bus_dt, dsp_ttl,
    dsp_qty, agg_ttl, agg_qty, line_type, menu_item_id
)
SELECT
    store_id, guest_check_id, guest_check_id * 100 + number, 1, number, number, opn_bus_dt, 5, 1, 5,
    1, CASE WHEN number = 20 THEN 'tender_media' ELSE 'menu_item' END,
    CASE WHEN number < 20 THEN 6000 + (guest_check_id * 7 + number) % 200 END
FROM guest_checks, generate_series(1, 20) AS number;
ALTER TABLE detail_lines ADD PRIMARY KEY (store_id, guest_check_id, guest_check_line_item_id);
CREATE INDEX detail_lines_menu_item ON detail_lines (menu_item_id, store_id);
INSERT INTO ingested_objects (
    bucket, object_key, etag, sequencer, size_bytes, source, store_id, bus_dt, state, records,
    event_time, event_order, received_at, committed_at
)
SELECT
    'bench', k.object_key, md5(k.object_key), lpad(to_hex(s.day), 16, '0'), 100000, s.source,
    s.store_id, s.bus_dt, 'loaded', 50, s.at, s.at::text || ' ' || k.object_key, s.at, s.at
FROM (
    SELECT
        source, day, 's' || lpad(store::text, 3, '0') AS store_id,
        date '2020-01-01' + day AS bus_dt,
        timestamptz '2020-01-02Z' + day * interval '1 day' + version * interval '6 hours' AS at
    FROM unnest(ARRAY[{sources}]) AS source, generate_series(1, {stores}) AS store,
        generate_series(0, {days} - 1) AS day, generate_series(1, 4) AS version
) AS s
CROSS JOIN LATERAL (
    SELECT format(
        'raw/api_responses/%s/busDt=%s/storeId=%s/%s.json', s.source, s.bus_dt, s.store_id,
        to_char(s.at, 'YYYYMMDD"T"HH24MISS"Z"')
    ) AS object_key
) AS k;
INSERT INTO store_days (
    source, store_id, bus_dt, object_id, as_of, event_order, state, whole_as_of, whole_event_order,
    counted_object_id, record_counts, field_counts
)
SELECT DISTINCT ON (source, store_id, bus_dt)
    source, store_id, bus_dt, object_id, event_time, event_order, 'loaded', event_time, event_order,
    object_id, '{{"": 1, "list": 20}}', '{{"list.amount": 20}}'
FROM ingested_objects
ORDER BY source, store_id, bus_dt, event_order DESC;
"""
# Each view with the column of its business date.
_VIEWS = {
    "v_daily_revenue": "bus_dt",
    "v_checks": "bus_dt",
    "v_item_sales": "bus_dt",
    "v_payments": "bus_dt",
    "v_discounts": "bus_dt",
    "v_invoices": "bus_dt",
    "v_invoices_against_checks": "bus_dt",
    "v_check_reconciliation": "opn_bus_dt",
    "v_store_days": "bus_dt",
    "v_freshness": "newest_bus_dt",
}
_COUNTED = ("guest_checks", "detail_lines", "taxes", "ingested_objects", "store_days")
_VIEWED = ("s001", date(2023, 2, 10))


@dataclass(frozen=True, slots=True)
class Size:
    """How much a database holds before the batches come."""

    stores: int
    ledger_days: int
    check_days: int = 57


_SMALL, _GROWN = Size(1, 100), Size(88, 569)


@dataclass(frozen=True, slots=True)
class Growth:
    """Processor seconds of a batch, ours and its session's, and milliseconds of a view's day."""

    small: Seconds
    grown: Seconds
    rows: dict[str, int]
    views_milliseconds: dict[str, float]

    @property
    def batch_cost_growth(self) -> float:
        """What a batch costs in the grown database, as a multiple of the small one's."""
        return self.grown.median / self.small.median


@dataclass(slots=True)
class _Side:
    session: AsyncConnection
    costs: list[float] = field(default_factory=list)


def measure(
    server: Server, small: Size = _SMALL, grown: Size = _GROWN, rounds: int = _ROUNDS
) -> Growth:
    """Fill two databases and load the same batches into both."""
    with server.fresh("bench_small") as here, server.fresh("bench_grown") as there:
        fill(here, small)
        fill(there, grown)
        in_small, in_grown = asyncio.run(batches_in_turns((here, there), rounds))
        return Growth(in_small, in_grown, _row_counts(there), _views_milliseconds(there))


def fill(database: DatabaseSettings, size: Size) -> None:
    """Write a history."""
    sources = ", ".join(f"'{endpoint.source}'" for endpoint in ENDPOINTS)
    statements = _FILL.format(
        stores=size.stores, days=size.ledger_days, check_days=size.check_days, sources=sources
    )
    with psycopg.connect(**database.conninfo, autocommit=True) as connection:
        connection.execute(statements.encode())
        connection.execute("VACUUM ANALYZE")
        connection.execute("CHECKPOINT")


async def batches_in_turns(databases: Sequence[DatabaseSettings], rounds: int) -> list[Seconds]:
    """Load the same new days into databases, in turns; return what a batch costs in each.

    In processor seconds, ours and the session's, once sessions have planned.
    """
    async with AsyncExitStack() as stack:
        sides = []
        for database in databases:
            pool = await stack.enter_async_context(open_pool(database, 1))
            session = await stack.enter_async_context(pool.connection())
            await session.set_autocommit(True)
            sides.append(_Side(session))
        erp = simulator(CHECKS_PER_DAY)
        for number in range(WARM_ROUNDS + rounds):
            day = _FIRST_NEW_DAY + timedelta(days=number)
            answers = [
                Document(each.source, _STORE, day, erp.answer(each.source, _STORE, day))
                for each in ENDPOINTS
            ]
            for side in sides if number % 2 else reversed(sides):
                side.costs.append(await _batch_cost(side.session, answers))
        return [Seconds(tuple(side.costs[WARM_ROUNDS:])) for side in sides]


async def _batch_cost(session: AsyncConnection, answers: Sequence[Document]) -> float:
    """Return the processor seconds of loading a day for the first time, and again an hour later."""
    spent = 0.0
    for written_at in (WRITTEN_AT, WRITTEN_AT + _LATER):
        requests = [
            LoadRequest(
                replace(
                    prepare(answer.fetched(written_at), load_aliases(), _MEGABYTES).document,
                    number=number,
                )
            )
            for number, answer in enumerate(answers)
        ]
        began = own_seconds() + process_seconds(session.info.backend_pid)
        await load_batch(session, requests)
        spent += own_seconds() + process_seconds(session.info.backend_pid) - began
    return spent


def _row_counts(database: DatabaseSettings) -> dict[str, int]:
    return {table: count_rows(database, table) for table in _COUNTED}


def _views_milliseconds(database: DatabaseSettings) -> dict[str, float]:
    with psycopg.connect(**database.conninfo, autocommit=True) as connection:
        found = {}
        for view, day in _VIEWS.items():
            query = f"SELECT * FROM {view} WHERE store_id = %s AND {day} = %s"  # noqa: S608 - ours
            runs = []
            for _ in range(_ROUNDS):
                began = perf_counter()
                connection.execute(query.encode(), _VIEWED).fetchall()
                runs.append((perf_counter() - began) * 1000)
            found[view] = round(median(runs), 2)
        return found
