-- The changes of the days that a batch takes: those that wait longest.
WITH chosen AS (
    SELECT
        change_id, topic, business_day,
        -- The items are one more piece of work, and of no day.
        CASE WHEN topic <> 'menu_items' THEN coalesce(business_day::text, 'none') END AS day
    FROM lakehouse_changes
    WHERE
        topic = 'menu_items'
        OR (%(first)s::date IS NULL AND %(last)s::date IS NULL)
        OR business_day BETWEEN
        coalesce(%(first)s::date, '-infinity') AND coalesce(%(last)s::date, 'infinity')
),
days AS (
    SELECT day FROM chosen WHERE day IS NOT NULL
    GROUP BY day
    ORDER BY min(change_id)
    LIMIT %(days)s
)
SELECT c.topic, c.business_day::text, array_agg(c.change_id)
FROM chosen AS c
LEFT JOIN days AS d USING (day)
WHERE c.day IS NULL OR d.day IS NOT NULL
GROUP BY c.topic, c.business_day
ORDER BY c.topic, c.business_day
