-- Puts what was inferred in the place of what was inferred before: further documents may have
-- said otherwise.
WITH inferred AS (
    SELECT * FROM unnest(%s::text[], %s::text[], %s::text[], %s::text[], %s::date[])
        AS i (source, path, kind, detail, since)
),
forgotten AS (
    DELETE FROM schema_drift AS d
    WHERE
        d.inferred
        AND NOT EXISTS (
            SELECT FROM inferred AS i
            WHERE i.source = d.source AND i.path = d.path AND i.kind = d.kind
        )
)
INSERT INTO schema_drift AS t (
    source, path, kind, first_seen, last_seen, occurrences, objects,
    first_object_key, last_object_key, detail, inferred
)
SELECT
    i.source, i.path, i.kind, min(f.first_seen), max(f.last_seen),
    sum(CASE WHEN f.came THEN f.filled ELSE f.records END), sum(f.objects),
    (array_agg(f.first_object_key ORDER BY f.first_seen))[1],
    (array_agg(f.last_object_key ORDER BY f.last_seen DESC))[1],
    i.detail, true
FROM inferred AS i
JOIN schema_fields AS f
    ON f.source = i.source
    AND f.path = i.path
    AND f.week >= i.since
    AND f.came = (i.kind <> 'missing')
GROUP BY i.source, i.path, i.kind, i.detail
ORDER BY i.source, i.path, i.kind
ON CONFLICT (source, path, kind) DO UPDATE SET
    first_seen = excluded.first_seen,
    last_seen = excluded.last_seen,
    occurrences = excluded.occurrences,
    objects = excluded.objects,
    first_object_key = excluded.first_object_key,
    last_object_key = excluded.last_object_key,
    detail = excluded.detail
WHERE
    t.inferred
    AND (t.occurrences, t.objects, t.first_seen, t.last_seen, t.detail)
    IS DISTINCT FROM (
        excluded.occurrences, excluded.objects, excluded.first_seen, excluded.last_seen,
        excluded.detail
    )
