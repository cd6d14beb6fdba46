-- What a role lacks to read our tables, as the statements that would grant it. Ours are the
-- relations of the ledger's owner: extensions put views of others into the schema.
SELECT format('GRANT CONNECT ON DATABASE %%I TO %%I', current_database(), %(role)s::text)
WHERE NOT has_database_privilege(%(role)s::name, current_database(), 'CONNECT')
UNION ALL
SELECT format('GRANT USAGE ON SCHEMA public TO %%I', %(role)s::text)
WHERE NOT has_schema_privilege(%(role)s::name, 'public', 'USAGE')
UNION ALL
SELECT format('GRANT SELECT ON %%s TO %%I', c.oid::regclass, %(role)s::text)
FROM pg_class AS c
JOIN pg_class AS l ON l.oid = 'public.ingested_objects'::regclass AND l.relowner = c.relowner
WHERE
    c.relnamespace = 'public'::regnamespace
    AND c.relkind IN ('r', 'p', 'v', 'm')
    AND NOT has_table_privilege(%(role)s::name, c.oid, 'SELECT')
UNION ALL
SELECT format('GRANT EXECUTE ON FUNCTION %%s TO %%I', f.oid::regprocedure, %(role)s::text)
FROM pg_proc AS f
WHERE
    f.oid = 'public.is_counted_line(text, boolean, numeric, numeric)'::regprocedure
    AND NOT has_function_privilege(%(role)s::name, f.oid, 'EXECUTE')
