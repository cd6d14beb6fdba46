-- The columns of tables and views, in their order, with types and comments.
SELECT
    w.name,
    a.attname,
    format_type(a.atttypid, NULL),
    col_description(a.attrelid, a.attnum)
FROM unnest(%s::text[]) AS w (name)
JOIN pg_attribute AS a
    ON a.attrelid = to_regclass(w.name) AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY w.name, a.attnum
