-- What became of the dead letters of the batch's objects that came before: of a replayed one
-- whatever its object ended as now, of one that still waits only a good end.
UPDATE dead_letters AS t
SET end_state = o.state, ended_at = o.committed_at
FROM stage_documents AS d
JOIN ingested_objects AS o USING (object_id)
WHERE
    t.object_id = d.object_id
    AND t.end_state IS NULL
    AND t.error_log_key IS DISTINCT FROM d.error_log_key
    AND (t.state = 'replayed' OR o.state <> 'dead_lettered')
