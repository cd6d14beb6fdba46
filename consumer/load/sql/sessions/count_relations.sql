-- How many tables and views are ours.
SELECT count(*)
FROM pg_class AS c
JOIN pg_class AS l ON l.oid = 'public.ingested_objects'::regclass AND l.relowner = c.relowner
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm')
