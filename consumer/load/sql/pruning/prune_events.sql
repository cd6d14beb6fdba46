-- Old ends: all of objects whose ledger rows were pruned, and of others all but the last.
DELETE FROM object_events
WHERE ctid = ANY (ARRAY(
    SELECT e.ctid
    FROM object_events AS e
    WHERE
        e.ctid >= %(first)s::tid
        AND e.ctid < %(last)s::tid
        AND e.ended_at < %(older_than)s
        AND (
            EXISTS (
                SELECT FROM object_events AS later
                WHERE later.object_id = e.object_id AND later.event_id > e.event_id
            )
            OR NOT EXISTS (SELECT FROM ingested_objects AS o WHERE o.object_id = e.object_id)
        )
    FOR UPDATE SKIP LOCKED
))
