-- The newest full document of each check in the batch.
INSERT INTO stage_winners (
    doc_no, pos, store_id, guest_check_id, last_updated_utc, as_of, object_id
)
SELECT DISTINCT ON (s.store_id, s.guest_check_id)
    s.doc_no, s.pos, s.store_id, s.guest_check_id, s.last_updated_utc, d.as_of, d.object_id
FROM stage_guest_checks AS s
JOIN stage_documents AS d USING (doc_no)
ORDER BY
    s.store_id, s.guest_check_id,
    s.last_updated_utc DESC, d.as_of DESC, d.event_order DESC, s.pos DESC
