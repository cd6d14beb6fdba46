-- One action is begun at a time, so that no message belongs to two.
SELECT pg_advisory_xact_lock(7206102, 0)
