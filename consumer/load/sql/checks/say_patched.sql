-- What checks that were replaced or patched now say of rows that partial documents told of: what
-- the check's newest full document has, then every column that a partial document not older than
-- it set. A row that neither has is said to be gone.
WITH keys AS (
    SELECT p.store_id, p.guest_check_id, p.child_id, p.patches
    FROM check_patches AS p
    JOIN stage_winners AS w USING (store_id, guest_check_id)
    WHERE w.applied AND w.patched AND p.table_name = %(table)s
    UNION
    SELECT p.store_id, p.guest_check_id, p.child_id, p.patches
    FROM check_patches AS p
    JOIN stage_patches AS f USING (store_id, guest_check_id, table_name, child_id)
    WHERE p.table_name = %(table)s
),
versions AS (
    SELECT
        k.*,
        CASE
            WHEN s.doc_no IS NOT NULL
                THEN jsonb_populate_record(NULL::{table}, to_jsonb(s))
            WHEN w.doc_no IS NULL AND b.store_id IS NOT NULL THEN b
            WHEN w.doc_no IS NULL AND c.line IS NOT NULL
                THEN jsonb_populate_record(NULL::{table}, c.line)
        END AS base,
        patches_since(
            k.patches, CASE WHEN h.last_updated_utc IS NULL THEN '-infinity' ELSE h.as_of END
        ) AS changes,
        h.as_of
    FROM keys AS k
    JOIN guest_checks AS h USING (store_id, guest_check_id)
    LEFT JOIN {table} AS b
        ON b.store_id = k.store_id
        AND b.guest_check_id = k.guest_check_id
        AND b.{child_id} = k.child_id
        AND b.removed_at IS NULL
    LEFT JOIN line_claims AS c
        ON %(table)s = 'detail_lines'
        AND c.store_id = k.store_id
        AND c.guest_check_id = k.guest_check_id
        AND c.guest_check_line_item_id = k.child_id
    LEFT JOIN stage_winners AS w
        ON w.store_id = k.store_id AND w.guest_check_id = k.guest_check_id AND w.applied
    LEFT JOIN {stage} AS s
        ON s.doc_no = w.doc_no AND s.pos = w.pos AND s.{child_id} = k.child_id
)
INSERT INTO stage_said (table_name, store_id, guest_check_id, child_id, said, as_of)
SELECT
    %(table)s,
    store_id,
    guest_check_id,
    child_id,
    CASE
        WHEN (base).store_id IS NOT NULL THEN to_jsonb(apply_patches(base, changes))
        WHEN changes IS NOT NULL THEN to_jsonb(
            apply_patches(
                jsonb_populate_record(
                    NULL::{table},
                    jsonb_build_object(
                        'store_id', store_id,
                        'guest_check_id', guest_check_id,
                        '{child_key}', child_id,
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
        )
    END,
    as_of
FROM versions
