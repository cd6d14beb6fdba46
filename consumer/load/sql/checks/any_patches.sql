-- Whether partial documents have a say in this batch.
SELECT EXISTS (SELECT FROM stage_patches)
OR EXISTS (
    SELECT FROM stage_winners AS w
    JOIN guest_checks AS t USING (store_id, guest_check_id)
    WHERE t.patched
)
