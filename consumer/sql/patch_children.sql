-- Recomputes the patched rows of checks that were replaced or patched: what the check's newest
-- full document has, then every column that a partial document not older than it set. A row
-- that neither has is marked removed.
WITH fresh AS (
    SELECT
        p.store_id,
        p.child_id,
        coalesce(
            jsonb_object_agg(
                e.key,
                jsonb_build_object('v', e.value, 'a', d.as_of, 'o', d.event_order)
                ORDER BY d.as_of, d.event_order, p.pos
            ) FILTER (WHERE e.key IS NOT NULL),
            '{{}}'
        )
        -- A row that came with nothing but its key still says that it is there.
        || jsonb_build_object(
            '{child_key}',
            jsonb_build_object('v', p.child_id, 'a', max(d.as_of), 'o', max(d.event_order))
        ) AS patches,
        p.guest_check_id
    FROM stage_patches AS p
    JOIN stage_documents AS d USING (doc_no)
    LEFT JOIN jsonb_each(p.patch) AS e ON true
    WHERE p.table_name = %(table)s
    GROUP BY p.store_id, p.guest_check_id, p.child_id
),
keys AS (
    SELECT t.store_id, t.guest_check_id, t.{child_id} AS child_id
    FROM {table} AS t
    JOIN stage_winners AS w USING (store_id, guest_check_id)
    WHERE w.applied AND t.patches IS NOT NULL
    UNION
    SELECT t.store_id, t.guest_check_id, t.{child_id}
    FROM {table} AS t
    JOIN fresh AS f
        ON f.store_id = t.store_id
        AND f.guest_check_id = t.guest_check_id
        AND f.child_id = t.{child_id}
),
versions AS (
    SELECT
        b AS stored,
        merge_patches(b.patches, f.patches) AS patches,
        w.as_of AS full_as_of,
        CASE
            WHEN s.doc_no IS NOT NULL
                THEN jsonb_populate_record(NULL::{table}, to_jsonb(s))
            WHEN w.doc_no IS NULL AND b.removed_at IS NULL THEN b
        END AS base,
        CASE WHEN c.last_updated_utc IS NULL THEN '-infinity' ELSE c.as_of END AS since
    FROM keys AS k
    JOIN {table} AS b
        ON b.store_id = k.store_id
        AND b.guest_check_id = k.guest_check_id
        AND b.{child_id} = k.child_id
    JOIN guest_checks AS c
        ON c.store_id = k.store_id AND c.guest_check_id = k.guest_check_id
    LEFT JOIN fresh AS f
        ON f.store_id = k.store_id
        AND f.guest_check_id = k.guest_check_id
        AND f.child_id = k.child_id
    LEFT JOIN stage_winners AS w
        ON w.store_id = k.store_id AND w.guest_check_id = k.guest_check_id AND w.applied
    LEFT JOIN {stage} AS s
        ON s.doc_no = w.doc_no AND s.pos = w.pos AND s.{child_id} = k.child_id
),
changed AS (
    SELECT v.*, patches_since(patches, since) AS changes FROM versions AS v
),
final AS (
    SELECT
        CASE
            WHEN (base).store_id IS NOT NULL THEN apply_patches(base, changes)
            -- Removed: what it said last stays readable.
            WHEN changes IS NULL THEN stored
            ELSE apply_patches(
                jsonb_populate_record(
                    NULL::{table},
                    jsonb_build_object(
                        'store_id', (stored).store_id,
                        'guest_check_id', (stored).guest_check_id,
                        '{child_key}', (stored).{child_id},
                        -- What a new line is when its document does not say; taxes have none.
                        'line_type', 'unknown',
                        'vd_flag', false,
                        'err_cor_flag', false,
                        'return_flag', false,
                        'do_not_show_flag', false
                    )
                ),
                changes
            )
        END AS row,
        patches,
        CASE
            WHEN (base).store_id IS NOT NULL OR changes IS NOT NULL THEN NULL
            ELSE coalesce((stored).removed_at, full_as_of)
        END AS removed_at
    FROM changed
)
UPDATE {table} AS t
SET ({columns}, removed_at, patches) = ROW ({final}, f.removed_at, f.patches)
FROM final AS f
WHERE
    t.store_id = (f.row).store_id
    AND t.guest_check_id = (f.row).guest_check_id
    AND t.{child_id} = (f.row).{child_id}
    AND ({stored}, t.removed_at, t.patches) IS DISTINCT FROM ({final}, f.removed_at, f.patches)
