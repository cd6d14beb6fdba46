-- The columns of our tables, with types and comments.
SELECT
    w.name AS table_name,
    a.attname AS column_name,
    a.atttypid::regtype::text AS type,
    col_description(a.attrelid, a.attnum) AS comment
FROM unnest(%s::text[]) AS w (name)
JOIN pg_attribute AS a
    ON a.attrelid = to_regclass(w.name) AND a.attnum > 0 AND NOT a.attisdropped
