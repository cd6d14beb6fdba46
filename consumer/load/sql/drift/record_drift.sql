-- Adds the batch's findings to what is known of the source.
INSERT INTO schema_drift AS t (
    source, path, kind, first_seen, last_seen, occurrences, objects,
    first_object_key, last_object_key, detail
)
SELECT
    d.source, s.path, s.kind, min(d.event_time), max(d.event_time), sum(s.occurrences),
    count(DISTINCT d.doc_no),
    (array_agg(d.object_key ORDER BY d.event_time))[1],
    (array_agg(d.object_key ORDER BY d.event_time DESC))[1],
    max(s.detail)
FROM stage_drift AS s
JOIN stage_documents AS d USING (doc_no)
-- Documents that use ids as field names must not fill the table.
WHERE
    EXISTS (
        SELECT FROM schema_drift AS k
        WHERE k.source = d.source AND k.path = s.path AND k.kind = s.kind
    )
    OR (SELECT count(*) FROM schema_drift AS k WHERE k.source = d.source) < 2000
GROUP BY d.source, s.path, s.kind
ORDER BY d.source, s.path, s.kind
ON CONFLICT (source, path, kind) DO UPDATE SET
    first_seen = least(t.first_seen, excluded.first_seen),
    last_seen = greatest(t.last_seen, excluded.last_seen),
    occurrences = t.occurrences + excluded.occurrences,
    objects = t.objects + excluded.objects,
    first_object_key = CASE
        WHEN excluded.first_seen < t.first_seen THEN excluded.first_object_key
        ELSE t.first_object_key
    END,
    last_object_key = CASE
        WHEN excluded.last_seen >= t.last_seen THEN excluded.last_object_key
        ELSE t.last_object_key
    END,
    detail = coalesce(excluded.detail, t.detail),
    inferred = false
