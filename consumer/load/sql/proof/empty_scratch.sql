-- Forgets what was loaded for the days that were compared last.
DO $$
BEGIN
    EXECUTE (
        SELECT 'TRUNCATE ' || string_agg(format('pg_temp.%I', c.relname), ', ')
        FROM pg_class AS c
        WHERE
            c.relnamespace = pg_my_temp_schema()
            AND c.relkind = 'r'
            AND c.relname NOT IN ('read_items', 'items_before', 'free_documents')
    );
END
$$
