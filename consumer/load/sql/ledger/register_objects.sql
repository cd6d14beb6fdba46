-- Gives every document of the batch its ledger row, locked in key order, and its place among all
-- events; the state is settled at the end of the transaction. The place is the event's time. But
-- within one key only sequencers count: no write is placed before one with a smaller sequencer,
-- or behind a known one with a larger. They compare as text once the shorter one is padded with
-- zeros, or both are stripped of them (Amazon S3 User Guide, "Event ordering and duplicate
-- events"); equal ones say nothing.
WITH incoming AS (
    SELECT
        d.doc_no, d.bucket, d.object_key,
        coalesce(d.version_id, d.etag, '') AS version,
        greatest(rtrim(upper(d.sequencer), '0'), rtrim(upper(o.sequencer), '0')) COLLATE "C"
            AS rank,
        greatest(
            to_char(d.event_time AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US'),
            left(o.event_order, 26)
        ) COLLATE "C" AS place
    FROM stage_documents AS d
    LEFT JOIN ingested_objects AS o
        ON (o.bucket, o.object_key, o.version)
        = (d.bucket, d.object_key, coalesce(d.version_id, d.etag, ''))
),
writes AS (
    SELECT doc_no, bucket, object_key, rank, place FROM incoming WHERE rank IS NOT NULL
    UNION ALL
    SELECT
        NULL, o.bucket, o.object_key, rtrim(upper(o.sequencer), '0'), left(o.event_order, 26)
    FROM ingested_objects AS o
    JOIN (SELECT DISTINCT bucket, object_key FROM incoming) AS keys USING (bucket, object_key)
    WHERE
        o.sequencer IS NOT NULL
        AND o.event_order <> ''
        AND NOT EXISTS (
            SELECT FROM incoming AS i
            WHERE (i.bucket, i.object_key, i.version) = (o.bucket, o.object_key, o.version)
        )
),
ordered AS (
    SELECT
        doc_no,
        least(
            greatest(place, max(place) OVER earlier),
            min(place) FILTER (WHERE doc_no IS NULL) OVER later
        ) AS place
    FROM writes
    WINDOW
        earlier AS (
            PARTITION BY bucket, object_key ORDER BY rank
            RANGE UNBOUNDED PRECEDING EXCLUDE GROUP
        ),
        later AS (
            PARTITION BY bucket, object_key ORDER BY rank
            RANGE BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING EXCLUDE GROUP
        )
),
registered AS (
    INSERT INTO ingested_objects AS o (
        bucket, object_key, version_id, etag, sequencer, size_bytes, source, store_id, bus_dt,
        state, records, quarantined, alias_fingerprint, attempts, event_time, event_order,
        received_at, extra
    )
    SELECT
        d.bucket, d.object_key, d.version_id, d.etag, d.sequencer, d.size_bytes, d.source,
        d.store_id, d.bus_dt, 'loaded', d.records, d.quarantined, d.alias_fingerprint,
        d.attempts, d.event_time,
        -- Nobody knows how keys were written relative to each other at one time: by their names.
        concat_ws(' ', coalesce(w.place, i.place), d.object_key, coalesce(i.rank, ''), i.version),
        d.received_at, d.extra
    FROM stage_documents AS d
    JOIN incoming AS i USING (doc_no)
    LEFT JOIN ordered AS w USING (doc_no)
    ORDER BY d.bucket, d.object_key, i.version
    ON CONFLICT (bucket, object_key, version) DO UPDATE SET
        sequencer = CASE
            WHEN
                rtrim(upper(excluded.sequencer), '0') COLLATE "C"
                < rtrim(upper(o.sequencer), '0') COLLATE "C"
                THEN o.sequencer
            ELSE coalesce(excluded.sequencer, o.sequencer)
        END,
        size_bytes = coalesce(excluded.size_bytes, o.size_bytes),
        source = excluded.source,
        store_id = excluded.store_id,
        bus_dt = excluded.bus_dt,
        records = excluded.records,
        quarantined = excluded.quarantined,
        alias_fingerprint = excluded.alias_fingerprint,
        attempts = excluded.attempts,
        extra = excluded.extra,
        event_time = greatest(o.event_time, excluded.event_time),
        event_order = greatest(o.event_order, excluded.event_order)
    -- A row that was there was locked before it was written: by that the new version has an xmax.
    RETURNING o.object_id, o.bucket, o.object_key, o.version, o.event_order, o.xmax <> 0 AS is_known
)
UPDATE stage_documents AS d
SET object_id = r.object_id, event_order = r.event_order, is_known = r.is_known
FROM registered AS r
WHERE
    (d.bucket, d.object_key, coalesce(d.version_id, d.etag, ''))
    = (r.bucket, r.object_key, r.version)
RETURNING d.is_known
