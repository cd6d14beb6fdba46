-- The end state of an object that no batch loads: outdated, or refused as a whole. An event that
-- does not name the version speaks of the one that the same event turned out to be about before. An
-- end that differs from the object's last one is an event; a dead letter that was replayed, or that a
-- good end overtook, ends too, even where a loaded object keeps its row.
WITH known AS (
    SELECT version_id, etag
    FROM ingested_objects
    WHERE
        bucket = %(bucket)s
        AND object_key = %(object_key)s
        AND version <> ''
        AND %(version_id)s::text IS NULL
        AND (%(etag)s::text IS NULL OR etag = %(etag)s)
        AND sequencer IS NOT DISTINCT FROM %(sequencer)s
        AND (%(event_time)s::timestamptz IS NULL OR event_time = %(event_time)s)
    ORDER BY event_order DESC
    LIMIT 1
),
identity AS (
    SELECT
        coalesce(%(version_id)s, (SELECT version_id FROM known)) AS version_id,
        coalesce(%(etag)s, (SELECT etag FROM known)) AS etag
),
was AS (
    SELECT o.object_id, o.state, o.error_code, o.error_log_key
    FROM identity AS i
    JOIN ingested_objects AS o
        ON (o.bucket, o.object_key, o.version)
        = (%(bucket)s, %(object_key)s, coalesce(i.version_id, i.etag, ''))
),
known_cause AS (
    INSERT INTO causes (cause, source, error_code, location, problem)
    SELECT
        %(cause)s, %(cause_source)s, %(error_code)s, %(cause_location)s, %(cause_problem)s
    WHERE %(cause)s::text IS NOT NULL
    ON CONFLICT DO NOTHING
),
recorded AS (
    INSERT INTO ingested_objects AS t (
        bucket, object_key, version_id, etag, sequencer, size_bytes, source, store_id, bus_dt,
        state, error_code, error_message, error_log_key, cause, attempts, event_time, received_at
    )
    SELECT
        %(bucket)s, %(object_key)s, i.version_id, i.etag, %(sequencer)s, %(size_bytes)s::bigint,
        %(source)s, %(store_id)s, %(bus_dt)s::date, %(state)s, %(error_code)s, %(error_message)s,
        %(error_log_key)s, %(cause)s, %(attempts)s::integer, %(event_time)s::timestamptz,
        %(received_at)s::timestamptz
    FROM identity AS i
    ON CONFLICT (bucket, object_key, version) DO UPDATE SET
        state = excluded.state,
        error_code = excluded.error_code,
        error_message = excluded.error_message,
        error_log_key = excluded.error_log_key,
        cause = excluded.cause,
        attempts = excluded.attempts,
        committed_at = clock_timestamp()
    -- What was loaded stays loaded when its event comes again after the object was overwritten or
    -- deleted.
    WHERE NOT (
        t.state = 'loaded'
        AND (excluded.state = 'superseded' OR excluded.error_code = 'object_missing')
    )
    RETURNING
        object_id, state, error_code, error_log_key, cause, records, quarantined, attempts,
        committed_at
),
events AS (
    INSERT INTO object_events (
        object_id, state, error_code, cause, error_log_key, records, quarantined, attempts, ended_at
    )
    SELECT
        r.object_id, r.state, r.error_code, r.cause, r.error_log_key, r.records, r.quarantined,
        r.attempts, r.committed_at
    FROM recorded AS r
    LEFT JOIN was AS w USING (object_id)
    WHERE
        (w.object_id, w.state, w.error_code, w.error_log_key)
        IS DISTINCT FROM (r.object_id, r.state, r.error_code, r.error_log_key)
),
ended AS (
    UPDATE dead_letters AS t
    SET end_state = %(state)s, ended_at = clock_timestamp()
    FROM was AS w
    WHERE
        t.object_id = w.object_id
        AND t.end_state IS NULL
        AND t.error_log_key IS DISTINCT FROM %(error_log_key)s
        AND (t.state = 'replayed' OR %(state)s <> 'dead_lettered')
)
SELECT object_id FROM recorded
