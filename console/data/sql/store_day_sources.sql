-- What each source says of one store-day; an older release counted no records.
SELECT
    d.source, d.state, coalesce(d.records, o.records) AS records, d.quarantined, d.as_of
FROM store_days AS d
LEFT JOIN ingested_objects AS o ON o.object_id = d.object_id AND d.source <> 'erp'
WHERE d.bus_dt = %(day)s AND d.store_id = %(store)s
ORDER BY d.source
