-- A winner is applied unless the stored check is of a newer document. Patched checks are not
-- written yet: patch_checks does that.
UPDATE stage_winners AS w
SET applied = true, patched = t.patched
FROM guest_checks AS t
WHERE
    t.store_id = w.store_id
    AND t.guest_check_id = w.guest_check_id
    AND (
        t.last_updated_utc IS NULL
        OR (w.last_updated_utc, w.as_of) > (t.last_updated_utc, t.as_of)
        OR (
            (w.last_updated_utc, w.as_of) = (t.last_updated_utc, t.as_of)
            AND (t.object_id = w.object_id OR is_no_older_event(w.object_id, t.object_id))
        )
    )
