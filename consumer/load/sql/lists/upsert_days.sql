-- What each store-day of the batch stands at: its newest answer, the newest whole one (without a
-- quarantined row), and whose fields are counted. Locks each day, in key order, even when it
-- writes nothing.
WITH answers AS (
    INSERT INTO stage_days (
        doc_no, source, store_id, bus_dt, as_of, event_order, object_id, whole,
        record_counts, field_counts, gap
    )
    SELECT
        d.doc_no, d.source, d.store_id, day.bus_dt, d.as_of, d.event_order, d.object_id,
        d.quarantined = 0,
        -- A document is counted once, however many days it spans.
        CASE WHEN day.number = 1 THEN coalesce(d.record_counts, '{}') END,
        CASE WHEN day.number = 1 THEN coalesce(d.field_counts, '{}') END,
        d.gap || jsonb_build_object(
            'object_id', d.object_id, 'as_of', d.as_of, 'event_order', d.event_order
        )
    FROM stage_documents AS d
    CROSS JOIN unnest(d.days) WITH ORDINALITY AS day (bus_dt, number)
    RETURNING *
),
newest AS (
    SELECT DISTINCT ON (source, store_id, bus_dt) * FROM answers
    ORDER BY source, store_id, bus_dt, as_of DESC, event_order DESC
),
newest_whole AS (
    SELECT DISTINCT ON (source, store_id, bus_dt) * FROM answers
    WHERE whole
    ORDER BY source, store_id, bus_dt, as_of DESC, event_order DESC
),
counted AS (
    SELECT DISTINCT ON (source, store_id, bus_dt) * FROM answers
    WHERE record_counts IS NOT NULL
    ORDER BY source, store_id, bus_dt, as_of DESC, event_order DESC
),
gaps AS (
    SELECT source, store_id, bus_dt, jsonb_agg(gap) AS gaps
    FROM answers
    WHERE gap IS NOT NULL
    GROUP BY source, store_id, bus_dt
)
INSERT INTO store_days AS t (
    source, store_id, bus_dt, object_id, as_of, event_order, state, whole_as_of,
    whole_event_order, counted_object_id, counted_as_of, counted_event_order, record_counts,
    field_counts, gaps
)
SELECT
    n.source, n.store_id, n.bus_dt, n.object_id, n.as_of, n.event_order,
    CASE WHEN n.whole THEN 'loaded' ELSE 'dead_lettered' END,
    coalesce(w.as_of, '-infinity'), coalesce(w.event_order, ''),
    c.object_id, coalesce(c.as_of, '-infinity'), coalesce(c.event_order, ''), c.record_counts,
    c.field_counts,
    merge_gaps(NULL, g.gaps, coalesce(w.as_of, '-infinity'), coalesce(w.event_order, ''))
FROM newest AS n
LEFT JOIN newest_whole AS w USING (source, store_id, bus_dt)
LEFT JOIN counted AS c USING (source, store_id, bus_dt)
LEFT JOIN gaps AS g USING (source, store_id, bus_dt)
ORDER BY n.source, n.store_id, n.bus_dt
ON CONFLICT (source, store_id, bus_dt) DO UPDATE SET
    (object_id, as_of, event_order, state) = (
        SELECT either.object_id, either.as_of, either.event_order, either.state
        FROM (
            VALUES (1, t.object_id, t.as_of, t.event_order, t.state),
            (2, excluded.object_id, excluded.as_of, excluded.event_order, excluded.state)
        ) AS either (age, object_id, as_of, event_order, state)
        ORDER BY either.as_of DESC, either.event_order DESC, either.age DESC
        LIMIT 1
    ),
    (whole_as_of, whole_event_order) = (
        SELECT either.as_of, either.event_order
        FROM (
            VALUES (t.whole_as_of, t.whole_event_order),
            (excluded.whole_as_of, excluded.whole_event_order)
        ) AS either (as_of, event_order)
        ORDER BY either.as_of DESC, either.event_order DESC
        LIMIT 1
    ),
    (counted_object_id, counted_as_of, counted_event_order, record_counts, field_counts) = (
        SELECT
            either.object_id, either.as_of, either.event_order, either.records, either.fields
        FROM (
            VALUES (
                1, t.counted_object_id, t.counted_as_of, t.counted_event_order,
                t.record_counts, t.field_counts
            ),
            (
                2, excluded.counted_object_id, excluded.counted_as_of,
                excluded.counted_event_order, excluded.record_counts, excluded.field_counts
            )
        ) AS either (age, object_id, as_of, event_order, records, fields)
        ORDER BY either.as_of DESC, either.event_order DESC, either.age DESC
        LIMIT 1
    ),
    gaps = (
        SELECT merge_gaps(t.gaps, excluded.gaps, either.as_of, either.event_order)
        FROM (
            VALUES (t.whole_as_of, t.whole_event_order),
            (excluded.whole_as_of, excluded.whole_event_order)
        ) AS either (as_of, event_order)
        ORDER BY either.as_of DESC, either.event_order DESC
        LIMIT 1
    ),
    last_loaded_at = clock_timestamp()
WHERE
    (excluded.as_of, excluded.event_order) > (t.as_of, t.event_order)
    OR (excluded.whole_as_of, excluded.whole_event_order) > (t.whole_as_of, t.whole_event_order)
    OR (excluded.object_id = t.object_id AND excluded.state <> t.state)
    OR (
        (excluded.counted_as_of, excluded.counted_event_order)
        >= (t.counted_as_of, t.counted_event_order)
        AND (excluded.counted_object_id, excluded.record_counts, excluded.field_counts)
        IS DISTINCT FROM (t.counted_object_id, t.record_counts, t.field_counts)
    )
    OR (
        excluded.gaps IS NOT NULL
        AND merge_gaps(t.gaps, excluded.gaps, t.whole_as_of, t.whole_event_order)
        IS DISTINCT FROM t.gaps
    )
