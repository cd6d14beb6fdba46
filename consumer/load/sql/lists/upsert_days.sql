-- What each store-day of the batch stands at: its newest answer, the newest whole one, and whose
-- fields are counted. An answer that spans days counts on each the checks that opened on it. Locks
-- each day, in key order, even when it writes nothing.
WITH answers AS (
    INSERT INTO stage_days AS a (
        doc_no, source, store_id, bus_dt, as_of, event_order, object_id, whole, digest, unread,
        record_counts, field_counts, gap, records, quarantined
    )
    SELECT
        d.doc_no, d.source, d.store_id, day.bus_dt, d.as_of, d.event_order, d.object_id,
        d.quarantined = 0, d.digest, d.unchanged > 0,
        -- A document is counted once, however many days it spans.
        CASE WHEN day.number = 1 THEN coalesce(d.record_counts, '{}') END,
        CASE WHEN day.number = 1 THEN coalesce(d.field_counts, '{}') END,
        d.gap || jsonb_build_object(
            'object_id', d.object_id, 'as_of', d.as_of, 'event_order', d.event_order
        ),
        CASE
            WHEN cardinality(d.days) = 1 THEN d.records
            ELSE (
                SELECT count(DISTINCT s.guest_check_id)
                FROM stage_guest_checks AS s
                WHERE s.doc_no = d.doc_no AND s.opn_bus_dt = day.bus_dt
            ) + (
                SELECT count(*)
                FROM stage_unchanged AS u
                JOIN guest_checks AS c USING (store_id, guest_check_id)
                WHERE u.doc_no = d.doc_no AND c.opn_bus_dt = day.bus_dt
            )
        END,
        d.quarantined
    FROM stage_documents AS d
    CROSS JOIN unnest(d.days) WITH ORDINALITY AS day (bus_dt, number)
    RETURNING a AS answer, a.*
),
days AS (
    SELECT
        source, store_id, bus_dt,
        (array_agg(answer ORDER BY as_of DESC, event_order DESC))[1] AS newest,
        (array_agg(answer ORDER BY as_of DESC, event_order DESC) FILTER (WHERE whole))[1] AS whole,
        (
            array_agg(answer ORDER BY as_of DESC, event_order DESC)
            FILTER (WHERE record_counts IS NOT NULL)
        )[1] AS counted,
        jsonb_agg(gap) FILTER (WHERE gap IS NOT NULL) AS gaps
    FROM answers
    GROUP BY source, store_id, bus_dt
)
INSERT INTO store_days AS t (
    source, store_id, bus_dt, object_id, as_of, event_order, state, whole_as_of,
    whole_event_order, digest, digest_object_id, counted_object_id, counted_as_of,
    counted_event_order, record_counts, field_counts, gaps, records, quarantined
)
SELECT
    d.source, d.store_id, d.bus_dt,
    (d.newest).object_id, (d.newest).as_of, (d.newest).event_order,
    CASE WHEN (d.newest).whole THEN 'loaded' ELSE 'dead_lettered' END,
    since.as_of, since.event_order, (d.whole).digest, (d.whole).object_id,
    (d.counted).object_id, coalesce((d.counted).as_of, '-infinity'),
    coalesce((d.counted).event_order, ''), (d.counted).record_counts, (d.counted).field_counts,
    merge_gaps(NULL, d.gaps, since.as_of, since.event_order),
    (d.newest).records, (d.newest).quarantined
FROM days AS d
CROSS JOIN LATERAL (
    SELECT
        coalesce((d.whole).as_of, '-infinity') AS as_of,
        coalesce((d.whole).event_order, '') AS event_order
) AS since
ORDER BY d.source, d.store_id, d.bus_dt
ON CONFLICT (source, store_id, bus_dt) DO UPDATE SET
    (object_id, as_of, event_order, state, records, quarantined) = (
        SELECT d.object_id, d.as_of, d.event_order, d.state, d.records, d.quarantined
        FROM unnest(ARRAY[excluded, t]) WITH ORDINALITY AS d
        ORDER BY d.as_of DESC, d.event_order DESC, d.ordinality
        LIMIT 1
    ),
    (whole_as_of, whole_event_order, digest, digest_object_id, gaps) = (
        SELECT
            d.whole_as_of, d.whole_event_order, d.digest, d.digest_object_id,
            merge_gaps(t.gaps, excluded.gaps, d.whole_as_of, d.whole_event_order)
        FROM unnest(ARRAY[excluded, t]) WITH ORDINALITY AS d
        ORDER BY d.whole_as_of DESC, d.whole_event_order DESC, d.ordinality
        LIMIT 1
    ),
    (counted_object_id, counted_as_of, counted_event_order, record_counts, field_counts) = (
        -- Without a count of the root, it is of the records that were new, and comes on top.
        SELECT
            d.counted_object_id, d.counted_as_of, d.counted_event_order,
            CASE
                WHEN d.ordinality = 1 AND NOT d.record_counts ? ''
                    THEN add_counts(t.record_counts, d.record_counts)
                ELSE d.record_counts
            END,
            CASE
                WHEN d.ordinality = 1 AND NOT d.record_counts ? ''
                    THEN add_counts(t.field_counts, d.field_counts)
                ELSE d.field_counts
            END
        FROM unnest(ARRAY[excluded, t]) WITH ORDINALITY AS d
        ORDER BY d.counted_as_of DESC, d.counted_event_order DESC, d.ordinality
        LIMIT 1
    ),
    last_loaded_at = clock_timestamp()
WHERE
    (excluded.as_of, excluded.event_order) > (t.as_of, t.event_order)
    OR (excluded.whole_as_of, excluded.whole_event_order) > (t.whole_as_of, t.whole_event_order)
    OR (
        (excluded.whole_as_of, excluded.whole_event_order) = (t.whole_as_of, t.whole_event_order)
        AND (excluded.digest, excluded.digest_object_id)
        IS DISTINCT FROM (t.digest, t.digest_object_id)
    )
    OR (
        excluded.object_id = t.object_id
        AND (excluded.state, excluded.records, excluded.quarantined)
        IS DISTINCT FROM (t.state, t.records, t.quarantined)
    )
    OR (
        (excluded.counted_as_of, excluded.counted_event_order)
        >= (t.counted_as_of, t.counted_event_order)
        AND (
            excluded.counted_object_id IS DISTINCT FROM t.counted_object_id
            OR (
                excluded.record_counts ? ''
                AND (excluded.record_counts, excluded.field_counts)
                IS DISTINCT FROM (t.record_counts, t.field_counts)
            )
        )
    )
    OR (
        excluded.gaps IS NOT NULL
        AND merge_gaps(t.gaps, excluded.gaps, t.whole_as_of, t.whole_event_order)
        IS DISTINCT FROM t.gaps
    )
