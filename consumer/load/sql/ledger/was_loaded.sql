-- A row if an object's like was ever loaded: an answer of its endpoint and store, or its own key.
SELECT
WHERE
    EXISTS (
        SELECT FROM store_days
        WHERE source = %(source)s AND store_id = %(store_id)s AND state = 'loaded'
    )
    OR EXISTS (
        SELECT FROM ingested_objects
        WHERE bucket = %(bucket)s AND object_key = %(object_key)s AND state = 'loaded'
    )
