-- Ledger rows of old answers that nothing refers to any more: newer answers took the place of all
-- they told. What a batch just loads again is locked, or has ended anew: it is passed by. A key with
-- several rows keeps them, since its sequencers are compared; so do exports, which come again under
-- one key, and keys of other layouts.
DELETE FROM ingested_objects
WHERE ctid = ANY (ARRAY(
    SELECT o.ctid
    FROM ingested_objects AS o
    WHERE
        o.ctid >= %(first)s::tid
        AND o.ctid < %(last)s::tid
        AND o.state IN ('loaded', 'superseded')
        AND starts_with(o.object_key, %(prefix)s)
        AND o.event_order <> ''
        AND o.quarantined = 0
        AND o.committed_at < %(older_than)s
        AND coalesce(o.event_time, o.received_at) < %(older_than)s
        AND NOT EXISTS (SELECT FROM kept_objects AS k WHERE k.object_id = o.object_id)
        AND NOT EXISTS (
            SELECT FROM ingested_objects AS other
            WHERE
                (other.bucket, other.object_key) = (o.bucket, o.object_key)
                AND other.object_id <> o.object_id
        )
        -- Whether its like was ever loaded, its endpoint and store tell.
        AND EXISTS (
            SELECT FROM store_days AS d
            WHERE (d.source, d.store_id, d.bus_dt) = (o.source, o.store_id, o.bus_dt)
        )
        AND EXISTS (
            SELECT FROM store_days AS d
            WHERE (d.source, d.store_id, d.state) = (o.source, o.store_id, 'loaded')
        )
    FOR UPDATE OF o SKIP LOCKED
))
