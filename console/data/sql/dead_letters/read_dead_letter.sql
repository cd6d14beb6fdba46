-- One dead letter with the version of its object.
SELECT
    d.dead_letter_id, d.cause, d.message_id, d.object_key, d.store_id, d.bus_dt, d.error_code,
    d.error_message, d.error_log_key, d.failed_at, o.bucket, o.version_id, o.etag
FROM dead_letters AS d
LEFT JOIN ingested_objects AS o USING (object_id)
WHERE d.dead_letter_id = %(dead_letter_id)s
