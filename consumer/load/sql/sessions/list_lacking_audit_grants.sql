-- What a role lacks to write down what operators do, as the statements that would grant it: it reads
-- dead letters and the ledger, and writes actions and what became of dead letters, nothing else.
SELECT format('GRANT CONNECT ON DATABASE %%I TO %%I', current_database(), %(role)s::text)
WHERE NOT has_database_privilege(%(role)s::name, current_database(), 'CONNECT')
UNION ALL
SELECT format('GRANT USAGE ON SCHEMA public TO %%I', %(role)s::text)
WHERE NOT has_schema_privilege(%(role)s::name, 'public', 'USAGE')
UNION ALL
SELECT format('GRANT %%s ON public.%%I TO %%I', r.granted, w.name, %(role)s::text)
FROM (
    VALUES
    ('operator_actions', '{SELECT,INSERT,UPDATE}'::text []),
    ('operator_action_items', '{SELECT,INSERT,UPDATE}'),
    ('dead_letters', '{SELECT,INSERT,UPDATE}'),
    ('causes', '{SELECT,INSERT}'),
    ('ingested_objects', '{SELECT}')
) AS w (name, rights)
CROSS JOIN unnest(w.rights) AS r (granted)
WHERE NOT has_table_privilege(%(role)s::name, format('public.%%I', w.name), r.granted)
