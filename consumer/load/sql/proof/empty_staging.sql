-- Empties the staging tables inside a transaction, as its commit would; small ones without new files.
DO $$
DECLARE
    stage regclass;
BEGIN
    FOR stage IN
        SELECT c.oid
        FROM pg_class AS c
        WHERE
            c.relnamespace = pg_my_temp_schema()
            AND c.relkind = 'r'
            AND starts_with(c.relname, 'stage_')
    LOOP
        IF pg_relation_size(stage) > 1000000 THEN
            EXECUTE format('TRUNCATE %s', stage);
        ELSIF pg_relation_size(stage) > 0 THEN
            EXECUTE format('DELETE FROM %s', stage);
        END IF;
    END LOOP;
END
$$
