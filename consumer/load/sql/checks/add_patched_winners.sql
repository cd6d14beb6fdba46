-- Adds the checks of which only partial documents of the batch tell: as they stand, they are the
-- base of the patches.
INSERT INTO stage_winners (
    doc_no, pos, store_id, guest_check_id, last_updated_utc, as_of, object_id, applied, patched
)
SELECT
    -1, row_number() OVER (), t.store_id, t.guest_check_id, t.last_updated_utc,
    CASE WHEN t.last_updated_utc IS NULL THEN greatest(t.as_of, p.as_of) ELSE t.as_of END,
    CASE
        WHEN t.last_updated_utc IS NULL AND p.as_of >= t.as_of THEN p.object_id
        ELSE t.object_id
    END,
    true, true
FROM (
    SELECT DISTINCT ON (s.store_id, s.guest_check_id)
        s.store_id, s.guest_check_id, d.as_of, d.object_id
    FROM stage_patches AS s
    JOIN stage_documents AS d USING (doc_no)
    ORDER BY s.store_id, s.guest_check_id, d.as_of DESC, d.event_order DESC
) AS p
JOIN guest_checks AS t USING (store_id, guest_check_id)
WHERE NOT EXISTS (
    SELECT FROM stage_winners AS w
    WHERE w.applied AND w.store_id = p.store_id AND w.guest_check_id = p.guest_check_id
)
