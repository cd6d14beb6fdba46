-- Which checks the documents of the batch spoke of.
INSERT INTO spoken (object_key, version, store_id, guest_check_id, is_patch)
SELECT d.object_key, coalesce(d.version_id, d.etag), s.store_id, s.guest_check_id, false
FROM stage_guest_checks AS s
JOIN stage_documents AS d USING (doc_no)
UNION
SELECT d.object_key, coalesce(d.version_id, d.etag), p.store_id, p.guest_check_id, true
FROM stage_patches AS p
JOIN stage_documents AS d USING (doc_no)
UNION
SELECT d.object_key, coalesce(d.version_id, d.etag), u.store_id, u.guest_check_id, false
FROM stage_unchanged AS u
JOIN stage_documents AS d USING (doc_no)
