-- Recomputes the checks that have patches, stored or new: the newest full document, then every
-- column that a partial document not older than it set.
WITH fresh AS (
    SELECT
        p.store_id,
        p.guest_check_id,
        jsonb_object_agg(
            e.key,
            jsonb_build_object('v', e.value, 'a', d.as_of, 'o', d.event_order)
            ORDER BY d.as_of, d.event_order, p.pos
        ) FILTER (WHERE e.key IS NOT NULL) AS patches,
        max(d.as_of) AS as_of,
        (array_agg(d.object_id ORDER BY d.as_of DESC, d.event_order DESC))[1] AS object_id
    FROM stage_patches AS p
    JOIN stage_documents AS d USING (doc_no)
    LEFT JOIN jsonb_each(p.patch) AS e ON true
    WHERE p.table_name = 'guest_checks'
    GROUP BY p.store_id, p.guest_check_id
),
keys AS (
    SELECT store_id, guest_check_id FROM fresh
    UNION
    SELECT w.store_id, w.guest_check_id
    FROM stage_winners AS w
    JOIN guest_checks AS t USING (store_id, guest_check_id)
    WHERE t.patches IS NOT NULL
),
versions AS (
    SELECT
        b AS stored,
        merge_patches(b.patches, f.patches) AS patches,
        f.as_of AS patched_as_of,
        f.object_id AS patched_object_id,
        w.as_of AS full_as_of,
        w.object_id AS full_object_id,
        s AS staged,
        w.doc_no IS NOT NULL AND (
            b.last_updated_utc IS NULL
            OR (w.last_updated_utc, w.as_of) > (b.last_updated_utc, b.as_of)
            OR (
                (w.last_updated_utc, w.as_of) = (b.last_updated_utc, b.as_of)
                AND is_no_older_event(w.object_id, b.object_id)
            )
        ) AS replaced
    FROM keys AS k
    JOIN guest_checks AS b USING (store_id, guest_check_id)
    LEFT JOIN fresh AS f USING (store_id, guest_check_id)
    LEFT JOIN stage_winners AS w USING (store_id, guest_check_id)
    LEFT JOIN stage_guest_checks AS s ON s.doc_no = w.doc_no AND s.pos = w.pos
),
bases AS (
    SELECT
        v.*,
        CASE
            WHEN replaced THEN jsonb_populate_record(NULL::guest_checks, to_jsonb(staged))
            ELSE stored
        END AS base,
        CASE
            WHEN replaced THEN full_as_of
            WHEN (stored).last_updated_utc IS NULL THEN '-infinity'
            ELSE (stored).as_of
        END AS since
    FROM versions AS v
),
final AS (
    SELECT
        apply_patches(base, patches_since(patches, since)) AS row,
        patches,
        CASE
            WHEN replaced THEN full_as_of
            WHEN (stored).last_updated_utc IS NULL
                THEN greatest((stored).as_of, patched_as_of)
            ELSE (stored).as_of
        END AS as_of,
        CASE
            WHEN replaced THEN full_object_id
            WHEN
                (stored).last_updated_utc IS NULL
                AND (
                    patched_as_of > (stored).as_of
                    OR patched_as_of = (stored).as_of
                    AND is_no_older_event(patched_object_id, (stored).object_id)
                )
                THEN patched_object_id
            ELSE (stored).object_id
        END AS object_id
    FROM bases
)
UPDATE guest_checks AS t
SET ({columns}, as_of, object_id, patches)
    = ROW ({final}, f.as_of, f.object_id, f.patches)
FROM final AS f
WHERE
    t.store_id = (f.row).store_id
    AND t.guest_check_id = (f.row).guest_check_id
    AND ({stored}, t.as_of, t.object_id, t.patches)
    IS DISTINCT FROM ({final}, f.as_of, f.object_id, f.patches)
