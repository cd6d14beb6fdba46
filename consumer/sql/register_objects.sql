-- Gives every document of the batch its ledger row, locked in key order; the state is settled
-- at the end of the transaction.
WITH registered AS (
    INSERT INTO ingested_objects AS o (
        bucket, object_key, version_id, etag, sequencer, size_bytes, source, store_id, bus_dt,
        state, records, quarantined, attempts, event_time, event_order, received_at, extra
    )
    SELECT
        bucket, object_key, version_id, etag, sequencer, size_bytes, source, store_id, bus_dt,
        'loaded', records, quarantined, attempts, event_time, event_order, received_at, extra
    FROM stage_documents
    ORDER BY bucket, object_key, coalesce(version_id, etag, '')
    ON CONFLICT (bucket, object_key, version) DO UPDATE SET
        sequencer = CASE
            WHEN excluded.event_order > o.event_order
                THEN coalesce(excluded.sequencer, o.sequencer)
            ELSE coalesce(o.sequencer, excluded.sequencer)
        END,
        size_bytes = coalesce(excluded.size_bytes, o.size_bytes),
        source = excluded.source,
        store_id = excluded.store_id,
        bus_dt = excluded.bus_dt,
        records = excluded.records,
        quarantined = excluded.quarantined,
        attempts = excluded.attempts,
        extra = excluded.extra,
        event_time = greatest(o.event_time, excluded.event_time),
        event_order = greatest(o.event_order, excluded.event_order)
    RETURNING o.object_id, o.bucket, o.object_key, o.version, o.event_order
)
UPDATE stage_documents AS d
SET object_id = r.object_id, event_order = r.event_order
FROM registered AS r
WHERE
    d.bucket = r.bucket
    AND d.object_key = r.object_key
    AND coalesce(d.version_id, d.etag, '') = r.version
