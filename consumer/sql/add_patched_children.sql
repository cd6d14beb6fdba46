-- Gives rows that only partial documents know a bare row; it stands once a patch says so.
WITH keys AS (
    SELECT p.store_id, p.guest_check_id, p.child_id, max(d.as_of) AS as_of
    FROM stage_patches AS p
    JOIN stage_documents AS d USING (doc_no)
    WHERE p.table_name = %(table)s
    GROUP BY p.store_id, p.guest_check_id, p.child_id
)
INSERT INTO {table} (store_id, guest_check_id, {child_id}, removed_at)
SELECT store_id, guest_check_id, child_id, as_of
FROM keys
ORDER BY store_id, guest_check_id, child_id
ON CONFLICT DO NOTHING
