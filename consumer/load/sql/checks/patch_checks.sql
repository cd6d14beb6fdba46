-- Recomputes the checks that partial documents told of: the newest full document, then every
-- column that a partial document not older than it set.
WITH fresh AS (
    SELECT DISTINCT ON (p.store_id, p.guest_check_id)
        p.store_id, p.guest_check_id, d.as_of, d.object_id
    FROM stage_patches AS p
    JOIN stage_documents AS d USING (doc_no)
    ORDER BY p.store_id, p.guest_check_id, d.as_of DESC, d.event_order DESC
),
keys AS (
    SELECT store_id, guest_check_id FROM fresh
    UNION
    SELECT w.store_id, w.guest_check_id
    FROM stage_winners AS w
    JOIN guest_checks AS t USING (store_id, guest_check_id)
    WHERE t.patched
),
versions AS (
    SELECT
        b AS stored,
        p.patches,
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
    JOIN check_patches AS p
        ON p.store_id = k.store_id
        AND p.guest_check_id = k.guest_check_id
        AND p.table_name = 'guest_checks'
        AND p.child_id = 0
    LEFT JOIN fresh AS f ON f.store_id = k.store_id AND f.guest_check_id = k.guest_check_id
    LEFT JOIN stage_winners AS w
        ON w.store_id = k.store_id AND w.guest_check_id = k.guest_check_id
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
        replaced,
        CASE
            WHEN replaced THEN full_as_of
            WHEN (stored).last_updated_utc IS NULL
                THEN greatest((stored).as_of, patched_as_of)
            ELSE (stored).as_of
        END AS as_of,
        CASE
            WHEN replaced THEN full_object_id
            WHEN (stored).last_updated_utc IS NULL AND patched_as_of >= (stored).as_of
                THEN patched_object_id
            ELSE (stored).object_id
        END AS object_id
    FROM bases
)
UPDATE guest_checks AS t
SET ({columns}, as_of, object_id) = ROW ({final}, f.as_of, f.object_id)
FROM final AS f
WHERE
    t.store_id = (f.row).store_id
    AND t.guest_check_id = (f.row).guest_check_id
    AND (
        ({stored}) IS DISTINCT FROM ({final})
        -- A check without a version needs no new date when nothing else is new.
        OR (f.replaced AND (t.as_of, t.object_id) IS DISTINCT FROM (f.as_of, f.object_id))
    )
