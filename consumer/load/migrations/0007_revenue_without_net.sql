-- A day of which no check tells its sub_ttl has no revenue that is known: NULL, not 0. A field that
-- was renamed upstream looked like a day without sales.

CREATE OR REPLACE VIEW v_daily_revenue AS
SELECT
    c.store_id,
    c.opn_bus_dt AS bus_dt,
    count(*) AS checks,
    coalesce(sum(c.gst_cnt), 0) AS guests,
    sum(c.sub_ttl) AS net,
    coalesce(sum(t.tax), 0) AS tax,
    coalesce(sum(c.dsc_ttl), 0) AS discounts,
    count(*) FILTER (WHERE c.sub_ttl IS NULL) AS checks_without_net
FROM guest_checks AS c
LEFT JOIN (
    SELECT store_id, guest_check_id, sum(tax_coll_ttl) AS tax
    FROM taxes
    WHERE removed_at IS NULL
    GROUP BY store_id, guest_check_id
) AS t USING (store_id, guest_check_id)
WHERE c.removed_at IS NULL AND c.cancel_flag IS NOT TRUE
GROUP BY c.store_id, c.opn_bus_dt;
COMMENT ON COLUMN v_daily_revenue.net IS
    'Sum of sub_ttl: sales after discounts; NULL when no check of the day tells it';
COMMENT ON COLUMN v_daily_revenue.checks_without_net IS
    'Checks of the day whose sub_ttl is not known: net lacks them';
