-- Frees what was loaded for the days that were compared last; it was rolled back, so that small
-- tables are empty already and need no new files.
DO $$
DECLARE
    large text;
BEGIN
    SELECT string_agg(format('pg_temp.%I', c.relname), ', ')
    INTO large
    FROM pg_class AS c
    WHERE
        c.relnamespace = pg_my_temp_schema()
        AND c.relkind = 'r'
        AND c.relname NOT IN ('read_items', 'items_before', 'free_documents')
        AND pg_relation_size(c.oid) > 1000000;
    IF large IS NOT NULL THEN
        EXECUTE 'TRUNCATE ' || large;
    END IF;
END
$$
