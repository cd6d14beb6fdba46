-- The newest full document of each check in the batch.
INSERT INTO stage_winners (
    doc_no, pos, store_id, guest_check_id, version, as_of, sent_as_of, latest_credible, object_id
)
SELECT DISTINCT ON (s.store_id, s.guest_check_id)
    s.doc_no, s.pos, s.store_id, s.guest_check_id,
    least(s.last_updated_utc, d.latest_credible) AS version,
    d.as_of, d.sent_as_of,
    CASE
        WHEN greatest(s.last_updated_utc, d.sent_as_of) > d.latest_credible THEN d.latest_credible
    END,
    d.object_id
FROM stage_guest_checks AS s
JOIN stage_documents AS d USING (doc_no)
ORDER BY
    s.store_id, s.guest_check_id, version DESC, d.as_of DESC, d.event_order DESC, s.pos DESC
