-- Whether the server works for a session, or lets it wait for a lock: not whether it waits for it.
SELECT state = 'active' AND wait_event_type IS DISTINCT FROM 'Client'
FROM pg_stat_activity
WHERE pid = %s
