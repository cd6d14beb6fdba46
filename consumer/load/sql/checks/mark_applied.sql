-- A winner is applied unless the stored check is of a newer document.
UPDATE stage_winners AS w
SET applied = true, patched = t.patched
FROM guest_checks AS t
CROSS JOIN LATERAL (
    VALUES (least(t.last_updated_utc, t.latest_credible), least(t.as_of, t.latest_credible))
) AS stored (version, as_of)
WHERE
    (t.store_id, t.guest_check_id) = (w.store_id, w.guest_check_id)
    AND (
        t.last_updated_utc IS NULL
        OR (w.version, w.as_of) > (stored.version, stored.as_of)
        OR (
            (w.version, w.as_of) = (stored.version, stored.as_of)
            AND (t.object_id = w.object_id OR is_no_older_event(w.object_id, t.object_id))
        )
    )
