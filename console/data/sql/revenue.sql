-- Net sales of each store and business date, as v_daily_revenue has them; from the index alone,
-- without taxes, which would be looked up check by check.
SELECT store_id, opn_bus_dt AS bus_dt, count(*) AS checks, sum(sub_ttl) AS net
FROM guest_checks
WHERE
    opn_bus_dt BETWEEN %(first)s AND %(last)s
    AND removed_at IS NULL
    AND cancel_flag IS NOT TRUE
GROUP BY store_id, opn_bus_dt
