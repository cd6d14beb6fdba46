-- The renames that objects were lately read with, latest use first.
SELECT alias_fingerprint, max(committed_at) AS last_commit
FROM ingested_objects
WHERE committed_at > now() - interval '10 minutes' AND alias_fingerprint IS NOT NULL
GROUP BY alias_fingerprint
ORDER BY last_commit DESC
