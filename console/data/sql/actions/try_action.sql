-- One console carries an action out; the lock goes with its session, killed or not.
SELECT pg_try_advisory_lock(7206102, %(action_id)s::integer) AS is_ours
