-- The views read the taxes and lines of the checks that are asked for. Grouped by themselves, they
-- were read over a store's whole history to show one day of it.

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
CROSS JOIN LATERAL (
    SELECT sum(x.tax_coll_ttl) AS tax
    FROM taxes AS x
    WHERE
        (x.store_id, x.guest_check_id) = (c.store_id, c.guest_check_id)
        AND x.removed_at IS NULL
) AS t
WHERE c.removed_at IS NULL AND c.cancel_flag IS NOT TRUE
GROUP BY c.store_id, c.opn_bus_dt;

CREATE OR REPLACE VIEW v_check_reconciliation AS
SELECT
    c.store_id,
    c.guest_check_id,
    c.opn_bus_dt,
    c.sub_ttl,
    l.lines_ttl,
    c.sub_ttl - l.lines_ttl AS sub_ttl_difference,
    c.pay_ttl,
    l.tenders_ttl,
    c.pay_ttl - l.tenders_ttl AS pay_ttl_difference
FROM guest_checks AS c
CROSS JOIN LATERAL (
    SELECT
        coalesce(sum(x.dsp_ttl) FILTER (WHERE x.line_type IN ('menu_item', 'discount')), 0)
            AS lines_ttl,
        coalesce(sum(x.dsp_ttl) FILTER (WHERE x.line_type = 'tender_media'), 0) AS tenders_ttl
    FROM detail_lines AS x
    WHERE
        (x.store_id, x.guest_check_id) = (c.store_id, c.guest_check_id)
        AND x.removed_at IS NULL
        AND x.vd_flag IS NOT TRUE
    -- A check without lines is not shown.
    HAVING count(*) > 0
) AS l
WHERE
    c.removed_at IS NULL
    AND (c.sub_ttl IS DISTINCT FROM l.lines_ttl OR c.pay_ttl IS DISTINCT FROM l.tenders_ttl);
