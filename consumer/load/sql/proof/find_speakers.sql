-- Which documents spoke of the checks to compare, and how many of them by partial documents.
SELECT s.object_key, s.version, count(*) FILTER (WHERE s.is_patch) AS patched
FROM spoken AS s
JOIN compared_checks AS w USING (store_id, guest_check_id)
WHERE %(check_id)s::bigint IS NULL OR s.guest_check_id = %(check_id)s
GROUP BY s.object_key, s.version
