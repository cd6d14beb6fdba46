-- The documents outside our layout that are of the days to compare, or speak of the checks.
SELECT f.event, f.object_key, f.source
FROM free_documents AS f
WHERE
    f.source = ANY (%(sources)s)
    AND (
        EXISTS (
            SELECT FROM compared_days AS d
            WHERE d.store_id = f.store_id AND d.bus_dt = ANY (f.days)
        )
        OR EXISTS (
            SELECT FROM unnest(f.guest_check_ids) AS spoken (guest_check_id)
            JOIN compared_checks AS w USING (guest_check_id)
            WHERE w.store_id = f.store_id
        )
    )
ORDER BY f.place
