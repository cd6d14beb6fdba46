-- A row if a store-day stands as a list of this digest said, and no answer with quarantined rows is
-- newer. None for an object version that was loaded before: it is read in full.
SELECT
FROM store_days
WHERE
    (source, store_id, bus_dt) = (%(source)s, %(store_id)s, %(bus_dt)s)
    AND digest = %(digest)s
    AND digest_object_id = object_id
    AND gaps IS NULL
    AND NOT EXISTS (
        SELECT FROM ingested_objects
        WHERE (bucket, object_key, version) = (%(bucket)s, %(object_key)s, %(version)s)
    )
