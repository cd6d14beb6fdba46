-- Gives the session empty tables of its own under the names of the real ones, which they hide: what
-- is loaded then goes there. The server drops them with the session, however it ends.
DO $$
DECLARE
    name text;
BEGIN
    FOR name IN
        SELECT c.relname
        FROM pg_class AS c
        WHERE
            c.relnamespace = 'public'::regnamespace
            AND c.relkind = 'r'
            AND c.relname NOT IN (
                'alembic_version', 'causes', 'consumer_heartbeats', 'expected_stores',
                'operator_actions', 'operator_action_items'
            )
    LOOP
        EXECUTE format(
            'CREATE TEMP TABLE %I (LIKE public.%I INCLUDING ALL EXCLUDING COMMENTS)', name, name
        );
    END LOOP;
END
$$
