-- A row if a role's statements end after some time, in this database or in all.
SELECT
FROM pg_roles AS r
JOIN pg_db_role_setting AS s ON s.setrole = r.oid
WHERE
    r.rolname = %(role)s
    AND s.setdatabase IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))
    AND EXISTS (
        SELECT FROM unnest(s.setconfig) AS line
        WHERE starts_with(line, 'statement_timeout=') AND line <> 'statement_timeout=0'
    )
