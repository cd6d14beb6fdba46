-- For the guards no version counts as later than its object's LastModified plus ten minutes. One
-- document with a time far in the future would outrank all that come after it.

ALTER TABLE guest_checks ADD COLUMN latest_credible timestamptz;
COMMENT ON COLUMN guest_checks.latest_credible IS
    'Set where last_updated_utc or as_of is later than the object can have been written: for the '
    'guard they count as this';

-- What such documents have frozen takes newer ones again.
UPDATE guest_checks AS t
SET latest_credible = coalesce(o.event_time, o.received_at) + interval '10 minutes'
FROM ingested_objects AS o
WHERE
    o.object_id = t.object_id
    AND greatest(t.last_updated_utc, t.as_of)
    > coalesce(o.event_time, o.received_at) + interval '10 minutes';

UPDATE check_patches AS t
SET patches = (
    SELECT jsonb_object_agg(
        key,
        CASE
            WHEN (value ->> 'a')::timestamptz > now()
                THEN value || jsonb_build_object('a', now())
            ELSE value
        END
    )
    FROM jsonb_each(t.patches)
)
WHERE EXISTS (
    SELECT FROM jsonb_each(t.patches) AS e WHERE (e.value ->> 'a')::timestamptz > now()
);

UPDATE store_days AS t
SET
    as_of = least(t.as_of, coalesce(o.event_time, o.received_at) + interval '10 minutes'),
    whole_as_of = least(t.whole_as_of, now()),
    counted_as_of = least(t.counted_as_of, now())
FROM ingested_objects AS o
WHERE
    o.object_id = t.object_id
    AND (
        t.as_of > coalesce(o.event_time, o.received_at) + interval '10 minutes'
        OR greatest(t.whole_as_of, t.counted_as_of) > now()
    );

UPDATE store_days AS t
SET gaps = (
    SELECT jsonb_agg(
        CASE
            WHEN (gap ->> 'as_of')::timestamptz > now()
                THEN gap || jsonb_build_object('as_of', now())
            ELSE gap
        END
        ORDER BY place
    )
    FROM jsonb_array_elements(t.gaps) WITH ORDINALITY AS g (gap, place)
)
WHERE EXISTS (
    SELECT FROM jsonb_array_elements(t.gaps) AS gap WHERE (gap ->> 'as_of')::timestamptz > now()
);
