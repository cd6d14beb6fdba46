"""A month of a small chain as the console finds it: mostly well, with one of each trouble."""

from datetime import timedelta

from tests.support.console_days import DAY, Days

STORES = ("001", "002", "99 CB CB", "Lago Sul", "Praça 12", "Recife", "São João", "Vila Madalena")
FIRST = DAY - timedelta(days=30)
# Days before DAY on which something was the matter, by store.
_MISSING = {"Recife": (9, 10, 11), "002": (0,)}
_REFUSED = {"Lago Sul": (4, 5), "Praça 12": (17,)}
_EMPTY = {"99 CB CB": (7, 14, 21, 28)}

_OBJECTS = """
INSERT INTO ingested_objects (
    bucket, object_key, version_id, size_bytes, source, store_id, bus_dt, state, error_code, cause,
    error_message, error_log_key, records, quarantined, event_time, event_order, received_at,
    committed_at
)
SELECT
    'lake', format('raw/api_responses/%%s/busDt=%%s/storeId=%%s/%%s.json', source, day, store,
        to_char(day + 1, 'YYYYMMDD"T060000.000000Z"')),
    md5(source || store || day), 20000 + abs(hashtext(store || day)) %% 9000, source, store, day,
    CASE WHEN bad THEN 'dead_lettered' ELSE 'loaded' END,
    CASE WHEN bad THEN 'records_invalid' END, CASE WHEN bad THEN 'abcdefabcdef' END,
    CASE WHEN bad THEN '9 of 60 records were set aside, the first guestChecks[1]: subTtl: expected '
        'a finite number; fix the records or add an alias, then replay' END,
    CASE WHEN bad THEN format('logs/errors/%%s/%%s.json', source, day) END,
    CASE WHEN empty THEN 0 WHEN bad THEN 51 ELSE 60 END, CASE WHEN bad THEN 9 ELSE 0 END,
    day + interval '30 h', to_char(day, 'YYYYMMDD'), day + interval '30 h', day + interval '30 h'
FROM (
    SELECT s.store, e.source, d.day::date AS day,
        e.source = 'getGuestChecks' AND (s.store || d.day::date) = ANY (%(refused)s) AS bad,
        (s.store || d.day::date) = ANY (%(empty)s) AS empty
    FROM unnest(%(stores)s::text[]) AS s (store)
    CROSS JOIN unnest(ARRAY['getGuestChecks', 'getFiscalInvoice', 'getChargeBack',
        'getTransactions', 'getCashManagementDetails']) AS e (source)
    CROSS JOIN generate_series(%(first)s::timestamp, %(last)s, interval '1 day') AS d (day)
    WHERE (s.store || d.day::date) <> ALL (%(missing)s)
) AS x
"""
_AFTER = (
    """
    INSERT INTO object_events (object_id, state, error_code, cause, error_log_key, records,
        quarantined, attempts, ended_at)
    SELECT object_id, state, error_code, cause, error_log_key, records, quarantined, 1, committed_at
    FROM ingested_objects
    """,
    """
    INSERT INTO store_days (source, store_id, bus_dt, object_id, counted_object_id, as_of,
        event_order, state, first_loaded_at, last_loaded_at, records, quarantined, record_counts,
        field_counts)
    SELECT source, store_id, bus_dt, object_id, object_id, event_time, event_order, state,
        committed_at, committed_at, records, quarantined, '{"": 1, "guestChecks": 60}',
        CASE WHEN bus_dt > DATE '2024-02-18' THEN '{"guestChecks.employeeNum": 60}'::jsonb
            ELSE '{"guestChecks.empNum": 60}' END
    FROM ingested_objects
    """,
    """
    WITH f AS (
        INSERT INTO drift_findings (source, path, kind, detail)
        VALUES ('getGuestChecks', 'guestChecks.employeeNum', 'unknown', 'number'),
            ('getGuestChecks', 'guestChecks.tillColour', 'unknown', 'string')
        RETURNING finding_id
    )
    INSERT INTO object_findings (object_id, finding_id, event_time, occurrences)
    SELECT object_id, finding_id, event_time, 60
    FROM f, ingested_objects
    WHERE source = 'getGuestChecks' AND bus_dt > DATE '2024-02-18'
    """,
    """
    INSERT INTO guest_checks (store_id, guest_check_id, opn_bus_dt, clsd_flag, gst_cnt, sub_ttl,
        pay_ttl, as_of, object_id, patched)
    SELECT store_id, abs(hashtext(store_id))::bigint * 100000 + (bus_dt - DATE '2024-01-01') * 100 + n,
        bus_dt, true, 2,
        round((40 + abs(hashtext(store_id)) %% 40) * (1 + 0.4 * (extract(isodow FROM bus_dt) > 5)::int)
            * (0.8 + (abs(hashtext(store_id || bus_dt)) %% 40) / 100.0) * (0.5 + n / 60.0), 2),
        60, as_of, object_id, false
    FROM store_days, generate_series(1, 60) AS n
    WHERE source = 'getGuestChecks' AND records > 0
    """,
)


def fill_month(days: Days) -> None:
    """Write thirty-one days of eight stores, until DAY."""
    days.run(
        _OBJECTS,
        stores=list(STORES),
        first=FIRST,
        last=DAY,
        missing=_places(_MISSING),
        refused=_places(_REFUSED),
        empty=_places(_EMPTY),
    )
    for statement in _AFTER:
        days.run(statement)
    for source in ("getGuestChecks", "getFiscalInvoice"):
        days.expect(*STORES, first=FIRST, source=source)


def _places(found: dict[str, tuple[int, ...]]) -> list[str]:
    return [
        f"{store}{DAY - timedelta(days=back)}" for store, backs in found.items() for back in backs
    ]
