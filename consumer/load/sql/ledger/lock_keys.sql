-- Lets one transaction at a time place writes of a key: two that do not see each other's ledger
-- rows could not put them in order.
SELECT count(pg_advisory_xact_lock(key_hash))
FROM (
    SELECT DISTINCT hashtextextended(bucket || '/' || object_key, 0) AS key_hash
    FROM stage_documents
    ORDER BY key_hash
) AS keys
