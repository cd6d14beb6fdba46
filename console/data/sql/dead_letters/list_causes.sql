-- What is on the dead-letter queue by its cause, with what has ended well since of the same cause.
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
        AND (%(store)s::text IS NULL OR store_id = %(store)s)
        AND (%(day)s::date IS NULL OR bus_dt = %(day)s)
    GROUP BY cause
)
SELECT
    p.*,
    c.source,
    c.error_code,
    c.location,
    c.problem,
    (
        SELECT count(*)
        FROM dead_letters AS d
        WHERE d.cause = p.cause AND d.end_state IN ('loaded', 'superseded')
    ) AS healed
FROM present AS p
JOIN causes AS c USING (cause)
ORDER BY p.present DESC, p.last_failed DESC
LIMIT 200
