-- Rows that were taken back long ago. Checks and store-days decide whether they may come again,
-- not they. A row that a batch holds is passed by.
DELETE FROM {table}
WHERE ctid = ANY (ARRAY(
    SELECT t.ctid
    FROM {table} AS t
    WHERE
        t.ctid >= %(first)s::tid
        AND t.ctid < %(last)s::tid
        AND t.removed_at < %(older_than)s
    FOR UPDATE SKIP LOCKED
))
