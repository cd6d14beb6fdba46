-- The other days whose answers may speak of the checks to compare: those on which they opened and
-- closed, by the tables or the lake, the day after for a check that stands open, and the objects
-- that the stored rows come from.
SELECT DISTINCT f.store_id, f.bus_dt, NULL::text AS object_key
FROM (
    SELECT c.store_id, day.bus_dt
    FROM compared_checks AS w
    JOIN pg_temp.guest_checks AS c USING (store_id, guest_check_id)
    CROSS JOIN LATERAL (
        VALUES (c.opn_bus_dt), (coalesce(c.clsd_bus_dt, c.opn_bus_dt + 1))
    ) AS day (bus_dt)
    UNION
    SELECT c.store_id, day.bus_dt
    FROM compared_checks AS w
    JOIN public.guest_checks AS c USING (store_id, guest_check_id)
    CROSS JOIN LATERAL (VALUES (c.opn_bus_dt), (c.clsd_bus_dt)) AS day (bus_dt)
) AS f
WHERE f.bus_dt IS NOT NULL
UNION
SELECT c.store_id, NULL, o.object_key
FROM compared_checks AS w
JOIN public.guest_checks AS c USING (store_id, guest_check_id)
JOIN public.ingested_objects AS o USING (object_id)
UNION
-- An event order is the event's time in 26 characters, the key, the sequencer and the version.
SELECT p.store_id, NULL, substring(e.value ->> 'o' FROM '^.{27}(.*) [^ ]* [^ ]*$')
FROM compared_checks AS w
JOIN public.check_patches AS p USING (store_id, guest_check_id)
CROSS JOIN jsonb_each(p.patches) AS e
