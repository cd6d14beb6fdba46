-- Puts the effective taxes or lines of patched checks in the place of the staged ones, as
-- patch_checks does with headers. A row that only partial documents know is new.
WITH patched AS (
    SELECT *, CASE WHEN version IS NULL THEN '-infinity' ELSE as_of END AS since
    FROM stage_winners
    WHERE applied AND patched
),
staged AS (
    DELETE FROM {stage} AS s
    USING patched AS w
    WHERE s.doc_no = w.doc_no AND s.pos = w.pos
    RETURNING s.doc_no, s.pos, s.{child_id} AS child_id, s AS row
),
bases AS (
    SELECT * FROM staged
    UNION ALL
    SELECT w.doc_no, w.pos, t.{child_id}, ROW (w.doc_no, w.pos, {stored})::{stage}
    FROM patched AS w
    JOIN {table} AS t USING (store_id, guest_check_id)
    WHERE w.doc_no < 0 AND t.removed_at IS NULL
),
changes AS (
    SELECT
        w.doc_no, w.pos, p.child_id, patches_since(p.patches, w.since) AS changes,
        jsonb_build_object(
            'doc_no', w.doc_no,
            'pos', w.pos,
            'store_id', w.store_id,
            'guest_check_id', w.guest_check_id,
            -- What a new line is when its document does not say; taxes have none.
            'line_type', 'unknown',
            'vd_flag', false,
            'err_cor_flag', false,
            'return_flag', false,
            'do_not_show_flag', false
        ) AS new
    FROM patched AS w
    JOIN check_patches AS p USING (store_id, guest_check_id)
    WHERE p.table_name = %(table)s
)
INSERT INTO {stage}
SELECT (e.row).*
FROM (
    SELECT apply_patches(coalesce(b.row, jsonb_populate_record(NULL::{stage}, c.new)), c.changes)
        AS row
    FROM bases AS b
    FULL JOIN changes AS c USING (doc_no, pos, child_id)
    WHERE b.doc_no IS NOT NULL OR c.changes IS NOT NULL
    OFFSET 0
) AS e
