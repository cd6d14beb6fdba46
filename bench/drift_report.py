"""How long `consumer drift` takes with a million ledger rows: prints plans and seconds.

    devstack run -- python -m bench.drift_report [LEDGER_ROWS]

Half of the objects show two findings each. One in five is the newest answer of its store-day; a
fifth of those days are of checks, with sixty fields that always come and six that come half of
the time, and in one store in ten a field has stopped.
"""

import asyncio
import sys
from time import perf_counter

import psycopg

from bench.databases import Server
from consumer.drift.inference import ENOUGH_RECORDS
from consumer.load import statements
from consumer.operate.drift_report import read_drift
from consumer.settings import DatabaseSettings

_DAYS = 730
_RUNS = 5

_LEDGER = """
    INSERT INTO ingested_objects (
        bucket, object_key, etag, source, store_id, bus_dt, state, event_time, event_order,
        received_at
    )
    SELECT
        'lake', 'raw/api_responses/some/busDt=2024-01-01/storeId=99/' || i || '.json', md5(i::text),
        (ARRAY[
            'getGuestChecks', 'getFiscalInvoice', 'getChargeBack', 'getTransactions',
            'getCashManagementDetails'
        ])[1 + i %% 5],
        'store ' || i %% 300, date '2024-01-01' + i %% 730, 'loaded',
        now() - i * interval '1 minute', i::text, now()
    FROM generate_series(1, %s) AS i
"""
_FINDINGS = """
    WITH kinds AS (
        INSERT INTO drift_findings (source, path, kind)
        SELECT source, path, 'unknown'
        FROM (SELECT DISTINCT source FROM ingested_objects) AS s,
            (VALUES ('colour'), ('mood'), ('size'), ('weight')) AS p (path)
        RETURNING finding_id, source, path
    )
    INSERT INTO object_findings (object_id, finding_id, event_time, occurrences)
    SELECT o.object_id, k.finding_id, o.event_time, o.object_id %% 100 + 1
    FROM ingested_objects AS o
    JOIN kinds AS k ON
        k.source = o.source
        AND k.path = ANY (
            CASE o.object_id %% 4
                WHEN 0 THEN '{colour,mood}'::text[] WHEN 1 THEN '{size,weight}'::text[]
            END
        )
"""
_STORE_DAYS = """
    INSERT INTO store_days (
        source, store_id, bus_dt, object_id, as_of, event_order, state, counted_object_id,
        record_counts, field_counts
    )
    SELECT
        source, 'store ' || store, date '2024-01-01' + day, 1 + (store * 730 + day) %% 1000,
        now(), 'x', 'loaded', 1 + (store * 730 + day) %% 1000,
        CASE
            WHEN source = 'getGuestChecks'
                THEN jsonb_build_object('', 1, 'guestChecks', 200, 'guestChecks.detailLines', 2000)
            ELSE jsonb_build_object('', 1, 'list', 20)
        END,
        CASE
            WHEN source = 'getGuestChecks' THEN (always.fields || (
                SELECT jsonb_object_agg('guestChecks.some' || n, 50) FROM generate_series(1, 6) AS n
                WHERE (store * 7 + day * 13 + n * 31) %% 17 < 8
            )) - CASE WHEN day > 600 AND store %% 10 = 0 THEN 'guestChecks.empNum' ELSE '' END
            ELSE listed.fields
        END
    FROM generate_series(0, %(stores)s - 1) AS store,
        generate_series(0, 729) AS day,
        unnest(ARRAY[
            'getGuestChecks', 'getFiscalInvoice', 'getChargeBack', 'getTransactions',
            'getCashManagementDetails'
        ]) AS source,
        (
            SELECT jsonb_object_agg('guestChecks.' || CASE WHEN n > 30 THEN 'detailLines.' ELSE ''
                END || CASE n WHEN 7 THEN 'empNum' ELSE 'fieldName' || n END, 200) AS fields
            FROM generate_series(1, 60) AS n
        ) AS always,
        (SELECT jsonb_object_agg('list.field' || n, 20) AS fields FROM generate_series(1, 8) AS n)
            AS listed
"""


def main(ledger_rows: int) -> None:
    """Fill a database of its own, explain both queries, and time the report."""
    with Server(DatabaseSettings()).fresh("bench_drift_report") as database:
        with psycopg.connect(**database.conninfo, autocommit=True) as connection:
            connection.execute(_LEDGER, (ledger_rows,))
            connection.execute(_FINDINGS, ())
            connection.execute(_STORE_DAYS, {"stores": max(1, ledger_rows // 5 // 5 // _DAYS)})
            connection.execute("VACUUM ANALYZE")
            connection.execute("SET jit = off")
            for name in ("list_drift", "find_stopped"):
                _explain(connection, name)
        for _ in range(_RUNS):
            began = perf_counter()
            rows = asyncio.run(read_drift(database))
            print(f"{perf_counter() - began:.2f} s for {len(rows)} rows of the report")


def _explain(connection: psycopg.Connection[tuple[object, ...]], name: str) -> None:
    statement = f"EXPLAIN (ANALYZE, COSTS OFF) {statements.text(name)}"
    cursor = connection.execute(statement.encode(), {"enough_records": ENOUGH_RECORDS})
    print(f"--- {name}", *(str(line) for (line,) in cursor), sep="\n")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
