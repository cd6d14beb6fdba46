-- A winner was applied when the stored check is now of its document.
UPDATE stage_winners AS w
SET applied = true, patched = t.patched
FROM guest_checks AS t
WHERE
    t.store_id = w.store_id
    AND t.guest_check_id = w.guest_check_id
    AND t.object_id = w.object_id
    AND t.last_updated_utc = w.last_updated_utc
    AND t.as_of = w.as_of
