-- Dead letters that left the queue long ago.
DELETE FROM dead_letters
WHERE ctid = ANY (ARRAY(
    SELECT d.ctid
    FROM dead_letters AS d
    WHERE
        d.ctid >= %(first)s::tid
        AND d.ctid < %(last)s::tid
        AND d.state IN ('replayed', 'purged', 'gone')
        AND greatest(d.left_at, d.ended_at) < %(older_than)s
    FOR UPDATE SKIP LOCKED
))
