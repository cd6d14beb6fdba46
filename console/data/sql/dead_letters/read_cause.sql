-- One cause.
SELECT cause, source, error_code, location, problem, first_seen
FROM causes
WHERE cause = %(cause)s
