-- Which of these objects have a ledger row.
SELECT object_key, etag
FROM ingested_objects
WHERE bucket = %(bucket)s AND object_key = ANY (%(keys)s)
