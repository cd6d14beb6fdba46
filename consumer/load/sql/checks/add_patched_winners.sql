-- Adds the checks of which only partial documents of the batch tell: as they stand, they are the
-- base of the patches. A check without a version is of the newest partial document.
INSERT INTO stage_winners (
    doc_no, pos, store_id, guest_check_id, version, as_of, sent_as_of, latest_credible, object_id,
    applied, patched
)
SELECT DISTINCT ON (t.store_id, t.guest_check_id)
    -1, dense_rank() OVER (ORDER BY t.store_id, t.guest_check_id), t.store_id, t.guest_check_id,
    -- least() would make a version of the bound alone, and the check a full one.
    CASE WHEN t.last_updated_utc IS NOT NULL THEN least(t.last_updated_utc, t.latest_credible) END,
    source.as_of, source.sent_as_of, source.latest_credible, source.object_id, true, true
FROM stage_patches AS s
JOIN stage_documents AS d USING (doc_no)
JOIN guest_checks AS t ON (t.store_id, t.guest_check_id) = (s.store_id, s.guest_check_id)
CROSS JOIN LATERAL (
    VALUES
    (1, least(t.as_of, t.latest_credible), t.as_of, t.latest_credible, t.object_id),
    (
        2, d.as_of, d.sent_as_of,
        CASE WHEN d.sent_as_of > d.latest_credible THEN d.latest_credible END,
        d.object_id
    )
) AS source (place, as_of, sent_as_of, latest_credible, object_id)
WHERE
    (t.last_updated_utc IS NULL OR source.place = 1)
    AND NOT EXISTS (
        SELECT FROM stage_winners AS w
        WHERE w.applied AND w.store_id = t.store_id AND w.guest_check_id = t.guest_check_id
    )
ORDER BY t.store_id, t.guest_check_id, source.as_of DESC, source.place DESC, d.event_order DESC
