-- Empties the staging tables inside a transaction, as its commit would.
DO $$
BEGIN
    EXECUTE (
        SELECT 'TRUNCATE ' || string_agg(format('pg_temp.%I', c.relname), ', ')
        FROM pg_class AS c
        WHERE
            c.relnamespace = pg_my_temp_schema()
            AND c.relkind = 'r'
            AND starts_with(c.relname, 'stage_')
    );
END
$$
