-- Another schema than ours in which the tables of this service lie.
SELECT n.nspname
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relname IN ('alembic_version', 'ingested_objects') AND n.nspname <> 'public'
GROUP BY n.nspname
HAVING count(*) = 2
ORDER BY n.nspname
LIMIT 1
