-- All that the documents so far say of a check: its header, taxes and lines, by their keys.
SELECT 'check' AS part, (to_jsonb(c) - %(hidden)s::text[])::text AS told
FROM pg_temp.guest_checks AS c
WHERE c.store_id = %(store)s AND c.guest_check_id = %(check_id)s
UNION ALL
SELECT 'tax ' || t.tax_num, (to_jsonb(t) - %(hidden)s::text[])::text
FROM pg_temp.taxes AS t
WHERE t.store_id = %(store)s AND t.guest_check_id = %(check_id)s AND t.removed_at IS NULL
UNION ALL
SELECT 'line ' || l.guest_check_line_item_id, (to_jsonb(l) - %(hidden)s::text[])::text
FROM pg_temp.detail_lines AS l
WHERE l.store_id = %(store)s AND l.guest_check_id = %(check_id)s AND l.removed_at IS NULL
