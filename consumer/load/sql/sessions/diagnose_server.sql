-- Who we are on this server, and what it allows.
SELECT
    current_user AS "user",
    current_setting('server_encoding') AS encoding,
    pg_is_in_recovery() OR current_setting('default_transaction_read_only')::boolean
        AS is_read_only,
    has_database_privilege(current_database(), 'TEMPORARY') AS may_create_temporary,
    current_setting('max_connections')::integer
    - current_setting('superuser_reserved_connections')::integer
    - coalesce(current_setting('reserved_connections', true)::integer, 0) AS server_limit,
    r.rolconnlimit AS role_limit,
    d.datconnlimit AS database_limit,
    (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend') AS in_use
FROM pg_roles AS r
CROSS JOIN pg_database AS d
WHERE r.rolname = current_user AND d.datname = current_database()
