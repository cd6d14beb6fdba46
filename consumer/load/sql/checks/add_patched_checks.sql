-- Gives checks that only partial documents know a bare row, then locks every check that a
-- partial document of the batch is about, in key order.
INSERT INTO guest_checks AS t (
    store_id, guest_check_id, as_of, latest_credible, object_id, patched
)
SELECT DISTINCT ON (p.store_id, p.guest_check_id)
    p.store_id, p.guest_check_id, d.sent_as_of,
    CASE WHEN d.sent_as_of > d.latest_credible THEN d.latest_credible END,
    d.object_id, true
FROM stage_patches AS p
JOIN stage_documents AS d USING (doc_no)
ORDER BY p.store_id, p.guest_check_id, d.as_of DESC, d.event_order DESC
ON CONFLICT (store_id, guest_check_id) DO UPDATE SET patched = true WHERE NOT t.patched
