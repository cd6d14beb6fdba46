-- Adds the findings of documents that were refused, and so are in no batch.
WITH told AS (
    SELECT * FROM unnest(
        %s::text[], %s::text[], %s::text[], %s::bigint[], %s::bigint[], %s::bigint[],
        %s::date[], %s::timestamptz[], %s::timestamptz[], %s::text[], %s::text[], %s::text[]
    ) AS d (
        source, path, kind, objects, occurrences, filled, first_day, first_seen, last_seen,
        first_object_key, last_object_key, detail
    )
)
INSERT INTO schema_drift AS t (
    source, path, kind, first_seen, last_seen, occurrences, objects,
    first_object_key, last_object_key, detail
)
SELECT
    source, path, kind, first_seen, last_seen, occurrences, objects,
    first_object_key, last_object_key, detail
FROM told
-- Documents that use ids as field names must not fill the table.
WHERE
    EXISTS (
        SELECT FROM schema_drift AS k
        WHERE k.source = told.source AND k.path = told.path AND k.kind = told.kind
    )
    OR (SELECT count(*) FROM schema_drift AS k WHERE k.source = told.source) < 2000
ORDER BY source, path, kind
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
