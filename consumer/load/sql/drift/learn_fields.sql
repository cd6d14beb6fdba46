-- Adds to what is known of how often a field comes filled.
INSERT INTO schema_fields AS t (
    source, path, week, came, objects, records, filled, first_day, first_seen, last_seen,
    first_object_key, last_object_key, json_type
)
SELECT * FROM unnest(
    %s::text[], %s::text[], %s::date[], %s::boolean[], %s::bigint[], %s::bigint[], %s::bigint[],
    %s::date[], %s::timestamptz[], %s::timestamptz[], %s::text[], %s::text[], %s::text[]
)
ON CONFLICT (source, path, week, came) DO UPDATE SET
    objects = t.objects + excluded.objects,
    records = t.records + excluded.records,
    filled = t.filled + excluded.filled,
    first_day = least(t.first_day, excluded.first_day),
    first_seen = least(t.first_seen, excluded.first_seen),
    last_seen = greatest(t.last_seen, excluded.last_seen),
    first_object_key = CASE
        WHEN excluded.first_seen < t.first_seen THEN excluded.first_object_key
        ELSE t.first_object_key
    END,
    last_object_key = CASE
        WHEN excluded.last_seen >= t.last_seen THEN excluded.last_object_key
        ELSE t.last_object_key
    END
