-- What is on the dead-letter queue by its cause, with what has ended well since of the same cause, and
-- how many messages and causes there are besides the largest.
WITH present AS (
    SELECT
        cause,
        count(*) AS present,
        count(message_id) AS confirmed,
        count(DISTINCT store_id) AS stores,
        min(store_id) AS store_id,
        min(bus_dt) AS first_day,
        max(bus_dt) AS last_day,
        min(failed_at) AS first_failed,
        max(failed_at) AS last_failed
    FROM dead_letters
    WHERE
        state IN ('unconfirmed', 'waiting')
        AND (%(cause)s::text IS NULL OR cause = %(cause)s)
        AND (%(store)s::text IS NULL OR store_id = %(store)s)
        AND (%(day)s::date IS NULL OR bus_dt = %(day)s)
    GROUP BY cause
)
SELECT
    p.cause, p.present, p.confirmed, p.stores, p.store_id, p.first_day, p.last_day, p.first_failed,
    p.last_failed,
    c.source,
    c.error_code,
    c.location,
    c.problem,
    p.known,
    p.causes,
    (
        SELECT count(*)
        FROM dead_letters AS d
        WHERE d.cause = p.cause AND d.end_state IN ('loaded', 'superseded')
    ) AS healed
FROM (
    SELECT *, (sum(present) OVER ())::bigint AS known, count(*) OVER () AS causes
    FROM present
    ORDER BY present DESC, last_failed DESC
    LIMIT 100
) AS p
JOIN causes AS c USING (cause)
ORDER BY p.present DESC, p.last_failed DESC
