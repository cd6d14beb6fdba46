-- Whose our tables are, and which of the rights that we need we lack on them.
SELECT
    w.name,
    pg_get_userbyid(c.relowner) AS owner,
    pg_has_role(c.relowner, 'USAGE') AS is_owned,
    coalesce(
        array_agg(w.needed ORDER BY w.position) FILTER (
            WHERE NOT has_table_privilege(c.oid, w.needed)
        ),
        '{}'
    ) AS lacking
FROM unnest(%(tables)s::text[], %(rights)s::text[])
    WITH ORDINALITY AS w (name, needed, position)
JOIN pg_class AS c ON c.oid = to_regclass(w.name)
GROUP BY w.name, c.relowner
ORDER BY w.name
