-- Adds what the batch's partial documents say to what is known of them: per column the newest.
-- A tax or line that came with nothing but its key is there all the same.
INSERT INTO check_patches AS t (store_id, guest_check_id, table_name, child_id, patches)
SELECT
    p.store_id, p.guest_check_id, p.table_name, coalesce(p.child_id, 0) AS child_id,
    jsonb_object_agg(
        e.key,
        jsonb_build_object('v', e.value, 'a', d.as_of, 'o', d.event_order)
        ORDER BY d.as_of, d.event_order, p.pos
    )
FROM stage_patches AS p
JOIN stage_documents AS d USING (doc_no)
CROSS JOIN jsonb_each(
    p.patch || CASE p.table_name
        WHEN 'taxes' THEN jsonb_build_object('tax_num', p.child_id)
        WHEN 'detail_lines' THEN jsonb_build_object('guest_check_line_item_id', p.child_id)
        ELSE jsonb_build_object('guest_check_id', p.guest_check_id)
    END
) AS e
GROUP BY p.store_id, p.guest_check_id, p.table_name, coalesce(p.child_id, 0)
ORDER BY p.store_id, p.guest_check_id, p.table_name, child_id
ON CONFLICT (store_id, guest_check_id, table_name, child_id) DO UPDATE SET
    patches = merge_patches(t.patches, excluded.patches)
WHERE t.patches IS DISTINCT FROM merge_patches(t.patches, excluded.patches)
