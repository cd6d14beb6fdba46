-- Locks the store-days of the batch that are known, in key order, and returns the answers that were
-- not read because their list stood, but does not any more: then nothing may be committed.
WITH named AS (
    SELECT DISTINCT d.source, d.store_id, day.bus_dt
    FROM stage_documents AS d
    CROSS JOIN unnest(d.days) AS day (bus_dt)
),
locked AS MATERIALIZED (
    SELECT t.source, t.store_id, t.bus_dt, t.digest, t.digest_object_id, t.object_id, t.gaps
    FROM named
    JOIN store_days AS t USING (source, store_id, bus_dt)
    ORDER BY t.source, t.store_id, t.bus_dt
    FOR NO KEY UPDATE OF t
)
SELECT d.doc_no
FROM stage_documents AS d
LEFT JOIN locked AS t
    ON (t.source, t.store_id, t.bus_dt) = (d.source, d.store_id, d.bus_dt)
    AND t.digest = d.digest
    AND t.digest_object_id = t.object_id
    AND t.gaps IS NULL
WHERE d.unchanged > 0 AND d.source = ANY (%(list_sources)s) AND t.source IS NULL
