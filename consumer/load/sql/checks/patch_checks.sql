-- Writes the effective headers of patched checks: the newest full document, or the check as it
-- stands, then every column that a partial document not older than the full one set.
WITH effective AS (
    SELECT
        apply_patches(
            CASE
                WHEN s.doc_no IS NULL THEN t
                ELSE jsonb_populate_record(NULL::guest_checks, to_jsonb(s))
            END,
            patches_since(
                p.patches, CASE WHEN w.version IS NULL THEN '-infinity' ELSE w.as_of END
            )
        ) AS row,
        w.sent_as_of, w.latest_credible, w.object_id,
        s.doc_no IS NOT NULL AS is_full
    FROM stage_winners AS w
    JOIN guest_checks AS t USING (store_id, guest_check_id)
    JOIN check_patches AS p USING (store_id, guest_check_id)
    LEFT JOIN stage_guest_checks AS s USING (doc_no, pos)
    WHERE w.applied AND w.patched AND p.table_name = 'guest_checks'
)
UPDATE guest_checks AS t
SET
    ({columns}, as_of, latest_credible, object_id)
    = ROW ({effective}, e.sent_as_of, e.latest_credible, e.object_id)
FROM effective AS e
WHERE
    (t.store_id, t.guest_check_id) = ((e.row).store_id, (e.row).guest_check_id)
    AND (
        ({stored}) IS DISTINCT FROM ({effective})
        -- A check without a version needs no new date when nothing else is new.
        OR (
            e.is_full
            AND (t.as_of, t.latest_credible, t.object_id)
            IS DISTINCT FROM (e.sent_as_of, e.latest_credible, e.object_id)
        )
    )
