-- Answers an event about an object version that stands loaded, and would be read as it was: all that
-- its load would leave is this row's attempts and time, and the end of a dead letter that was replayed.
-- No row comes back when the event would
-- place the version later, or speaks of another one, or when a later write of the key is known.
WITH answered AS (
    UPDATE ingested_objects AS o
    SET attempts = %(attempts)s, committed_at = m.moment, read_at = m.moment
    FROM (SELECT clock_timestamp() AS moment) AS m
    WHERE
        (o.bucket, o.object_key) = (%(bucket)s, %(object_key)s)
        AND CASE
            WHEN %(version_id)s::text IS NOT NULL THEN o.version = %(version_id)s
            ELSE o.etag = %(etag)s AND o.version <> ''
        END
        AND o.state = 'loaded'
        AND o.read_as = %(read_as)s
        AND o.read_at = o.committed_at
        -- Key templates may have changed.
        AND o.source = %(source)s
        AND (%(store_id)s::text IS NULL OR o.store_id = %(store_id)s)
        AND (%(bus_dt)s::date IS NULL OR o.bus_dt = %(bus_dt)s)
        AND (%(size_bytes)s::bigint IS NULL OR o.size_bytes = %(size_bytes)s)
        AND (%(event_time)s::timestamptz IS NULL OR o.event_time >= %(event_time)s)
        AND (
            %(sequencer)s::text IS NULL
            OR rtrim(upper(%(sequencer)s), '0') = rtrim(upper(o.sequencer), '0')
        )
        AND NOT EXISTS (
            SELECT FROM ingested_objects AS later
            WHERE
                (later.bucket, later.object_key) = (o.bucket, o.object_key)
                AND later.object_id <> o.object_id
                AND later.event_order >= o.event_order
        )
    RETURNING o.object_id, m.moment
),
ended AS (
    UPDATE dead_letters AS t
    SET end_state = 'loaded', ended_at = a.moment
    FROM answered AS a
    WHERE t.object_id = a.object_id AND t.end_state IS NULL
)
SELECT object_id FROM answered
