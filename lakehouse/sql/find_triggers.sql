-- The enabled triggers of the change feed.
SELECT c.relname, t.tgname
FROM pg_trigger AS t
JOIN pg_class AS c ON c.oid = t.tgrelid
WHERE c.relnamespace = 'public'::regnamespace AND t.tgname LIKE 'lakehouse\_%' AND t.tgenabled = 'O'
