-- The lakehouse's change feed, if there is one: which of our tables lack a trigger that notes
-- changes, and whether it can be read.
SELECT
    coalesce(
        array_agg(w.name ORDER BY w.name) FILTER (
            WHERE (
                SELECT count(*) < 4 FROM pg_trigger AS t
                WHERE
                    t.tgrelid = to_regclass(w.name)
                    AND t.tgname IN (
                        'lakehouse_insert', 'lakehouse_update',
                        'lakehouse_delete', 'lakehouse_truncate'
                    )
                    AND t.tgenabled = 'O'
            )
        ),
        '{}'
    ) AS unwatched,
    has_table_privilege('lakehouse_changes', 'SELECT') AS is_readable
FROM unnest(%s::text[]) AS w (name)
WHERE to_regclass('lakehouse_changes') IS NOT NULL AND to_regclass(w.name) IS NOT NULL
HAVING count(*) > 0
