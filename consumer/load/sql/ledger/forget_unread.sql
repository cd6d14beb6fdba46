-- Drops the ledger rows of events that were refused before their object was read, and so could
-- not name its version: the same events have it now.
DELETE FROM ingested_objects AS t
USING stage_documents AS d
WHERE
    (t.bucket, t.object_key) = (d.bucket, d.object_key)
    AND t.event_order = ''
    AND t.version_id IS NULL
    AND (t.version = '' OR (d.version_id IS NOT NULL AND t.etag = d.etag))
    AND t.sequencer IS NOT DISTINCT FROM d.sequencer
    AND (t.event_time IS NULL OR t.event_time = d.event_time)
RETURNING t.object_id, d.doc_no
