-- Views that give right numbers. What voids, corrections, taxes and cancelled checks do to a sum is
-- settled here, once.
-- Works with releases from schema 0010 on.

CREATE FUNCTION is_counted_line(
    line_type text, vd_flag boolean, dsp_ttl numeric, dsp_qty numeric
) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT vd_flag IS NOT TRUE OR CASE
        -- The mirror of a discount is positive.
        WHEN line_type = 'discount' THEN coalesce(dsp_ttl, 0) >= 0
        ELSE coalesce(nullif(dsp_ttl, 0), dsp_qty, 0) <= 0
    END
$$;
COMMENT ON FUNCTION is_counted_line IS
    'Whether a line belongs in a sum. A void is sent as a negative mirror beside its line, which '
    'stays: both count. A positive line that is itself flagged was voided without one: it does not';

CREATE VIEW v_checks AS
SELECT
    c.store_id,
    c.guest_check_id,
    c.chk_num,
    c.opn_bus_dt AS bus_dt,
    c.clsd_bus_dt,
    coalesce(NOT c.clsd_flag, c.clsd_utc IS NULL) AS is_open,
    extract(HOUR FROM c.opn_lcl)::integer AS opn_hour,
    c.opn_lcl,
    c.clsd_lcl,
    c.gst_cnt AS guests,
    c.sub_ttl AS net,
    c.sub_ttl - t.tax AS net_without_tax,
    t.tax,
    coalesce(c.dsc_ttl, 0) AS discounts,
    coalesce(c.svc_chg_ttl, 0) + coalesce(c.auto_svc_ttl, 0) AS service_charges,
    coalesce(c.tip_total, 0) AS tips,
    c.chk_ttl AS total,
    c.pay_ttl AS paid,
    c.rvc_num,
    c.ot_num,
    c.tbl_num,
    c.tbl_name,
    c.emp_num
FROM guest_checks AS c
CROSS JOIN LATERAL (
    SELECT coalesce(sum(x.tax_coll_ttl), 0) AS tax
    FROM taxes AS x
    WHERE
        (x.store_id, x.guest_check_id) = (c.store_id, c.guest_check_id)
        AND x.removed_at IS NULL
) AS t
WHERE c.removed_at IS NULL AND c.cancel_flag IS NOT TRUE;
COMMENT ON VIEW v_checks IS
    'One row a check, open or closed; cancelled and removed checks left out. Join nothing to it '
    'before it is summed: a check has several taxes and lines';
COMMENT ON COLUMN v_checks.store_id IS 'The store as the ERP spells it';
COMMENT ON COLUMN v_checks.guest_check_id IS 'Id of the check within its store';
COMMENT ON COLUMN v_checks.chk_num IS 'Number that staff see; it comes again';
COMMENT ON COLUMN v_checks.bus_dt IS 'Business date on which it opened: its revenue belongs there';
COMMENT ON COLUMN v_checks.clsd_bus_dt IS 'Business date on which it closed; null while it is open';
COMMENT ON COLUMN v_checks.is_open IS 'Not closed yet: its amounts will change';
COMMENT ON COLUMN v_checks.opn_hour IS
    'Hour in which it opened, 0 to 23, the store''s wall clock; after midnight is still bus_dt';
COMMENT ON COLUMN v_checks.opn_lcl IS 'When it opened, the store''s wall clock';
COMMENT ON COLUMN v_checks.clsd_lcl IS 'When it closed, the store''s wall clock';
COMMENT ON COLUMN v_checks.guests IS 'Guests; null when not told';
COMMENT ON COLUMN v_checks.net IS
    'Sales after discounts, taxes in prices included, service charges and tips not; null when not '
    'told';
COMMENT ON COLUMN v_checks.net_without_tax IS 'net less tax';
COMMENT ON COLUMN v_checks.tax IS 'Sum of the check''s taxes; they are part of net';
COMMENT ON COLUMN v_checks.discounts IS 'Negative or 0; net is what remains after them';
COMMENT ON COLUMN v_checks.service_charges IS 'Added by staff or by the ERP; part of total';
COMMENT ON COLUMN v_checks.tips IS 'Part of neither net nor total';
COMMENT ON COLUMN v_checks.total IS 'What the guests owe: net and service charges';
COMMENT ON COLUMN v_checks.paid IS 'What was paid so far';
COMMENT ON COLUMN v_checks.rvc_num IS 'Revenue center';
COMMENT ON COLUMN v_checks.ot_num IS 'Order type';
COMMENT ON COLUMN v_checks.tbl_num IS 'Number of the table';
COMMENT ON COLUMN v_checks.tbl_name IS 'Name of the table';
COMMENT ON COLUMN v_checks.emp_num IS 'Employee who owns the check';

CREATE OR REPLACE VIEW v_daily_revenue AS
SELECT
    c.store_id,
    c.bus_dt,
    count(*) AS checks,
    coalesce(sum(c.guests), 0) AS guests,
    sum(c.net) AS net,
    sum(c.tax) AS tax,
    sum(c.discounts) AS discounts,
    count(*) FILTER (WHERE c.net IS NULL) AS checks_without_net,
    sum(c.net_without_tax) AS net_without_tax
FROM v_checks AS c
GROUP BY c.store_id, c.bus_dt;
COMMENT ON VIEW v_daily_revenue IS
    'One row a store and business date on which checks opened; cancelled checks left out. A day '
    'without a row was closed or is not loaded: v_store_days tells which';
COMMENT ON COLUMN v_daily_revenue.store_id IS 'The store as the ERP spells it';
COMMENT ON COLUMN v_daily_revenue.bus_dt IS 'Business date on which the checks opened';
COMMENT ON COLUMN v_daily_revenue.checks IS 'Checks, open ones too';
COMMENT ON COLUMN v_daily_revenue.guests IS 'Guests of those checks';
COMMENT ON COLUMN v_daily_revenue.net IS
    'Sum of sub_ttl: sales after discounts, taxes in prices included; NULL when no check of the '
    'day tells it';
COMMENT ON COLUMN v_daily_revenue.tax IS 'Sum of the checks'' taxes; they are part of net';
COMMENT ON COLUMN v_daily_revenue.net_without_tax IS
    'net less tax, of the checks whose net is known';

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
        coalesce(
            sum(x.dsp_ttl) FILTER (
                WHERE x.line_type IN ('menu_item', 'discount', 'error_correct')
            ), 0
        ) AS lines_ttl,
        coalesce(sum(x.dsp_ttl) FILTER (WHERE x.line_type = 'tender_media'), 0) AS tenders_ttl
    FROM detail_lines AS x
    WHERE
        (x.store_id, x.guest_check_id) = (c.store_id, c.guest_check_id)
        AND x.removed_at IS NULL
        AND is_counted_line(x.line_type, x.vd_flag, x.dsp_ttl, x.dsp_qty)
    -- A check without lines is not shown.
    HAVING count(*) > 0
) AS l
WHERE
    c.removed_at IS NULL
    AND (c.sub_ttl IS DISTINCT FROM l.lines_ttl OR c.pay_ttl IS DISTINCT FROM l.tenders_ttl);
COMMENT ON VIEW v_check_reconciliation IS
    'One row a check whose header differs from its lines, cancelled checks too: a hint for '
    'analysts, never a rejection. Often a discount that only the header tells, see v_discounts';
COMMENT ON COLUMN v_check_reconciliation.store_id IS 'The store as the ERP spells it';
COMMENT ON COLUMN v_check_reconciliation.guest_check_id IS 'Id of the check within its store';
COMMENT ON COLUMN v_check_reconciliation.opn_bus_dt IS 'Business date on which it opened';
COMMENT ON COLUMN v_check_reconciliation.sub_ttl IS 'Sales after discounts as the header says';
COMMENT ON COLUMN v_check_reconciliation.lines_ttl IS
    'The same as its items, discounts and corrections say; voids count once';
COMMENT ON COLUMN v_check_reconciliation.sub_ttl_difference IS 'sub_ttl less lines_ttl';
COMMENT ON COLUMN v_check_reconciliation.pay_ttl IS 'What was paid as the header says';
COMMENT ON COLUMN v_check_reconciliation.tenders_ttl IS 'The same as its payments say';
COMMENT ON COLUMN v_check_reconciliation.pay_ttl_difference IS 'pay_ttl less tenders_ttl';

CREATE VIEW v_item_sales AS
SELECT
    c.store_id,
    c.opn_bus_dt AS bus_dt,
    coalesce(l.menu_item_id, l.object_num) AS menu_item_id,
    sum(l.dsp_qty) AS quantity,
    coalesce(sum(l.dsp_ttl), 0) AS sales,
    count(*) AS lines
FROM guest_checks AS c
JOIN detail_lines AS l USING (store_id, guest_check_id)
WHERE
    c.removed_at IS NULL
    AND c.cancel_flag IS NOT TRUE
    AND l.removed_at IS NULL
    AND (
        l.line_type = 'menu_item'
        OR (l.line_type = 'error_correct' AND coalesce(l.error_correct_type, '1') = '1')
    )
    AND is_counted_line(l.line_type, l.vd_flag, l.dsp_ttl, l.dsp_qty)
GROUP BY c.store_id, c.opn_bus_dt, coalesce(l.menu_item_id, l.object_num);
COMMENT ON VIEW v_item_sales IS
    'One row a store, business date and item: what was sold, less voids, corrections and returns. '
    'Cancelled checks left out. Before discounts, so it sums to more than net';
COMMENT ON COLUMN v_item_sales.store_id IS 'The store as the ERP spells it';
COMMENT ON COLUMN v_item_sales.bus_dt IS 'Business date on which the checks opened';
COMMENT ON COLUMN v_item_sales.menu_item_id IS
    'The item, modifiers too; null for corrections that name none';
COMMENT ON COLUMN v_item_sales.quantity IS 'Signed; fractional for items sold by weight';
COMMENT ON COLUMN v_item_sales.sales IS 'Signed; taxes in prices included';
COMMENT ON COLUMN v_item_sales.lines IS 'Lines summed, mirrors of voids and corrections too';

CREATE VIEW v_payments AS
SELECT
    c.store_id,
    c.opn_bus_dt AS bus_dt,
    c.guest_check_id,
    l.guest_check_line_item_id,
    l.tmed_num,
    l.dsp_ttl AS amount,
    l.bus_dt AS paid_bus_dt,
    l.detail_lcl AS paid_lcl,
    l.ws_num,
    l.trans_emp_num
FROM guest_checks AS c
JOIN detail_lines AS l USING (store_id, guest_check_id)
WHERE
    c.removed_at IS NULL
    AND c.cancel_flag IS NOT TRUE
    AND l.removed_at IS NULL
    AND l.line_type = 'tender_media'
    AND is_counted_line(l.line_type, l.vd_flag, l.dsp_ttl, l.dsp_qty);
COMMENT ON VIEW v_payments IS
    'One row a payment of a check; cancelled checks left out. transactions also has payments of '
    'cancelled checks and what was paid out of the drawers, by the date of the money';
COMMENT ON COLUMN v_payments.store_id IS 'The store as the ERP spells it';
COMMENT ON COLUMN v_payments.bus_dt IS 'Business date on which the check opened, as of its revenue';
COMMENT ON COLUMN v_payments.guest_check_id IS 'Id of the check within its store';
COMMENT ON COLUMN v_payments.guest_check_line_item_id IS 'Id of the payment''s line';
COMMENT ON COLUMN v_payments.tmed_num IS 'Means of payment, a number of the ERP';
COMMENT ON COLUMN v_payments.amount IS 'Service charges included; negative when given back';
COMMENT ON COLUMN v_payments.paid_bus_dt IS 'Business date on which it was paid';
COMMENT ON COLUMN v_payments.paid_lcl IS 'When it was paid, the store''s wall clock';
COMMENT ON COLUMN v_payments.ws_num IS 'Workstation at which it was paid';
COMMENT ON COLUMN v_payments.trans_emp_num IS 'Employee who took it';

CREATE VIEW v_discounts AS
SELECT
    c.store_id,
    c.opn_bus_dt AS bus_dt,
    c.guest_check_id,
    d.guest_check_line_item_id,
    d.dsc_num,
    d.dsc_mi_num AS menu_item_id,
    d.amount
FROM guest_checks AS c
CROSS JOIN LATERAL (
    -- A row for each line, and one for all of them, which tells what they lack.
    SELECT
        x.guest_check_line_item_id,
        x.dsc_num,
        x.dsc_mi_num,
        CASE grouping(x.guest_check_line_item_id)
            WHEN 0 THEN sum(x.dsp_ttl)
            ELSE c.dsc_ttl - coalesce(sum(x.dsp_ttl), 0)
        END AS amount
    FROM detail_lines AS x
    WHERE
        (x.store_id, x.guest_check_id) = (c.store_id, c.guest_check_id)
        AND x.removed_at IS NULL
        AND x.line_type = 'discount'
        AND is_counted_line(x.line_type, x.vd_flag, x.dsp_ttl, x.dsp_qty)
    GROUP BY GROUPING SETS ((x.guest_check_line_item_id, x.dsc_num, x.dsc_mi_num), ())
    HAVING
        grouping(x.guest_check_line_item_id) = 0
        OR c.dsc_ttl <> coalesce(sum(x.dsp_ttl), 0)
) AS d
WHERE c.removed_at IS NULL AND c.cancel_flag IS NOT TRUE;
COMMENT ON VIEW v_discounts IS
    'One row a discount of a check, and one without dsc_num for what only the check''s header '
    'tells: together they are its dsc_ttl. Cancelled checks left out';
COMMENT ON COLUMN v_discounts.store_id IS 'The store as the ERP spells it';
COMMENT ON COLUMN v_discounts.bus_dt IS 'Business date on which the check opened';
COMMENT ON COLUMN v_discounts.guest_check_id IS 'Id of the check within its store';
COMMENT ON COLUMN v_discounts.guest_check_line_item_id IS
    'Id of the discount''s line; null for what only the header tells';
COMMENT ON COLUMN v_discounts.dsc_num IS
    'The discount, a number of the ERP; null for what only the header tells';
COMMENT ON COLUMN v_discounts.menu_item_id IS 'The item that it was given on, if any';
COMMENT ON COLUMN v_discounts.amount IS 'Negative; positive where a discount was taken back';

CREATE VIEW v_invoices AS
SELECT
    i.store_id,
    i.bus_dt,
    i.record_id,
    i.series,
    i.invoice_number,
    i.access_key,
    i.contingency,
    i.trans_lcl,
    i.amount,
    i.tax,
    i.guest_check_id,
    c.chk_num,
    c.opn_bus_dt AS check_bus_dt,
    c.chk_ttl AS check_total,
    CASE
        WHEN i.guest_check_id IS NULL THEN 'not_named'
        WHEN c.guest_check_id IS NULL THEN 'not_loaded'
        WHEN c.removed_at IS NOT NULL THEN 'removed'
        WHEN c.cancel_flag THEN 'cancelled'
        WHEN coalesce(NOT c.clsd_flag, c.clsd_utc IS NULL) THEN 'open'
        ELSE 'closed'
    END AS check_state
FROM fiscal_invoices AS i
LEFT JOIN guest_checks AS c USING (store_id, guest_check_id)
WHERE i.removed_at IS NULL;
COMMENT ON VIEW v_invoices IS
    'One row a fiscal invoice, with its check. By the date of the answer that lists it, which is '
    'that of the check''s closing: check_bus_dt is the date of its revenue';
COMMENT ON COLUMN v_invoices.store_id IS 'The store as the ERP spells it';
COMMENT ON COLUMN v_invoices.bus_dt IS 'Business date of the answer that lists it';
COMMENT ON COLUMN v_invoices.record_id IS
    'invoiceId as text; invoices issued in contingency have none: content:<hash>:<n>';
COMMENT ON COLUMN v_invoices.series IS 'Series of the invoice';
COMMENT ON COLUMN v_invoices.invoice_number IS 'Number within its series';
COMMENT ON COLUMN v_invoices.access_key IS 'NFC-e access key of 44 digits';
COMMENT ON COLUMN v_invoices.contingency IS
    'Issued offline, while the tax authority did not answer; null means no';
COMMENT ON COLUMN v_invoices.trans_lcl IS 'When it was issued, the store''s wall clock';
COMMENT ON COLUMN v_invoices.amount IS 'What it is about: service charges included, as a rule';
COMMENT ON COLUMN v_invoices.tax IS 'Tax in the amount';
COMMENT ON COLUMN v_invoices.guest_check_id IS 'The check that was invoiced';
COMMENT ON COLUMN v_invoices.chk_num IS 'Number of the check that staff see';
COMMENT ON COLUMN v_invoices.check_bus_dt IS 'Business date on which the check opened';
COMMENT ON COLUMN v_invoices.check_total IS 'What the guests of the check owe';
COMMENT ON COLUMN v_invoices.check_state IS
    'Of the check: closed, open, cancelled, removed, not_loaded, or not_named by the invoice';

CREATE VIEW v_invoices_against_checks AS
SELECT
    c.store_id,
    c.bus_dt,
    c.guest_check_id,
    c.total AS check_total,
    i.invoices,
    i.invoiced,
    coalesce(c.total, 0) - i.invoiced AS difference,
    c.tax AS check_tax,
    i.invoiced_tax,
    CASE
        WHEN i.invoices = 0 AND d.store_id IS NULL THEN 'invoices_not_loaded'
        WHEN i.invoices = 0 THEN 'no_invoice'
        WHEN c.total IS DISTINCT FROM i.invoiced THEN 'differs'
        ELSE 'equal'
    END AS finding
FROM v_checks AS c
CROSS JOIN LATERAL (
    SELECT
        count(*) AS invoices,
        coalesce(sum(x.amount), 0) AS invoiced,
        coalesce(sum(x.tax), 0) AS invoiced_tax
    FROM fiscal_invoices AS x
    WHERE
        (x.store_id, x.guest_check_id) = (c.store_id, c.guest_check_id)
        AND x.removed_at IS NULL
) AS i
LEFT JOIN store_days AS d
    ON
        d.source = 'getFiscalInvoice'
        AND (d.store_id, d.bus_dt) = (c.store_id, c.clsd_bus_dt)
WHERE NOT c.is_open
UNION ALL
SELECT
    i.store_id,
    i.bus_dt,
    i.guest_check_id,
    NULL,
    1,
    i.amount,
    -i.amount,
    NULL,
    i.tax,
    'no_closed_check'
FROM v_invoices AS i
WHERE i.check_state <> 'closed';
COMMENT ON VIEW v_invoices_against_checks IS
    'One row a closed check with all its invoices, and one an invoice without such a check. '
    'Cancelled checks left out, unless they were invoiced';
COMMENT ON COLUMN v_invoices_against_checks.store_id IS 'The store as the ERP spells it';
COMMENT ON COLUMN v_invoices_against_checks.bus_dt IS
    'Business date on which the check opened; of an invoice without a closed check, its own';
COMMENT ON COLUMN v_invoices_against_checks.guest_check_id IS 'Id of the check within its store';
COMMENT ON COLUMN v_invoices_against_checks.check_total IS 'What the guests of the check owe';
COMMENT ON COLUMN v_invoices_against_checks.invoices IS 'Invoices of the check, of whatever day';
COMMENT ON COLUMN v_invoices_against_checks.invoiced IS 'Sum of their amounts';
COMMENT ON COLUMN v_invoices_against_checks.difference IS 'check_total less invoiced';
COMMENT ON COLUMN v_invoices_against_checks.check_tax IS 'Sum of the check''s taxes';
COMMENT ON COLUMN v_invoices_against_checks.invoiced_tax IS 'Sum of the invoices'' taxes';
COMMENT ON COLUMN v_invoices_against_checks.finding IS
    'equal, differs, no_invoice, invoices_not_loaded (of the day on which the check closed) or '
    'no_closed_check';

CREATE INDEX store_days_near ON store_days (bus_dt, store_id);
CREATE INDEX ingested_objects_dead ON ingested_objects (bus_dt, store_id, source)
WHERE state = 'dead_lettered';

CREATE VIEW v_store_days AS
WITH RECURSIVE
-- The sources that were ever loaded, found by skipping through the key.
sources AS (
    SELECT min(source) AS source FROM store_days
    UNION ALL
    SELECT (SELECT min(d.source) FROM store_days AS d WHERE d.source > s.source)
    FROM sources AS s
    WHERE s.source IS NOT NULL
)
SELECT
    d.store_id,
    d.bus_dt,
    d.source,
    CASE
        WHEN d.state = 'dead_lettered' OR EXISTS (
            SELECT FROM ingested_objects AS o
            JOIN ingested_objects AS k ON k.object_id = d.object_id
            WHERE
                o.state = 'dead_lettered'
                AND (o.bus_dt, o.store_id, o.source) = (d.bus_dt, d.store_id, d.source)
                AND coalesce(o.event_time, o.received_at) > coalesce(k.event_time, k.received_at)
        ) THEN 'dead_lettered'
        WHEN EXISTS (
            SELECT FROM guest_checks AS c
            WHERE (c.opn_bus_dt, c.store_id) = (d.bus_dt, d.store_id) AND c.removed_at IS NULL
        ) THEN 'loaded'
        WHEN EXISTS (
            SELECT FROM store_days AS k
            WHERE
                k.source = 'getGuestChecks'
                AND (k.store_id, k.bus_dt, k.state) = (d.store_id, d.bus_dt, 'loaded')
        ) THEN 'closed'
        ELSE 'loaded'
    END AS state,
    d.as_of,
    d.last_loaded_at
FROM store_days AS d
UNION ALL
SELECT DISTINCT
    o.store_id,
    o.bus_dt,
    o.source,
    'dead_lettered',
    NULL::timestamptz,
    NULL::timestamptz
FROM ingested_objects AS o
WHERE
    o.state = 'dead_lettered'
    AND o.store_id IS NOT NULL
    AND o.bus_dt IS NOT NULL
    AND NOT EXISTS (
        SELECT FROM store_days AS d
        WHERE (d.source, d.store_id, d.bus_dt) = (o.source, o.store_id, o.bus_dt)
    )
UNION ALL
SELECT e.store_id, b.day, s.source, 'missing', NULL, NULL
FROM (
    -- Days that a wrong clock made up are no gap to fill.
    SELECT g.day::date AS day
    FROM generate_series(
        (SELECT min(bus_dt) FROM store_days WHERE bus_dt >= '2000-01-01'),
        (SELECT max(bus_dt) FROM store_days WHERE bus_dt <= current_date),
        interval '1 day'
    ) AS g (day)
) AS b
CROSS JOIN LATERAL (
    SELECT DISTINCT n.store_id FROM store_days AS n WHERE n.bus_dt BETWEEN b.day - 7 AND b.day + 7
) AS e
JOIN sources AS s ON s.source <> 'erp'
WHERE
    NOT EXISTS (
        SELECT FROM store_days AS d
        WHERE (d.source, d.store_id, d.bus_dt) = (s.source, e.store_id, b.day)
    )
    AND NOT EXISTS (
        SELECT FROM ingested_objects AS o
        WHERE
            o.state = 'dead_lettered'
            AND (o.bus_dt, o.store_id, o.source) = (b.day, e.store_id, s.source)
    );
COMMENT ON VIEW v_store_days IS
    'One row a store, business date and source: loaded, closed, missing or dead_lettered. Missing '
    'is worked out: a store seen in any source within seven days of a date is expected there, in '
    'every endpoint that was ever loaded; new and closed-down stores are missed for a week';
COMMENT ON COLUMN v_store_days.store_id IS 'The store as the ERP spells it';
COMMENT ON COLUMN v_store_days.bus_dt IS 'Business date';
COMMENT ON COLUMN v_store_days.source IS 'The endpoint; erp for exports, which are never missing';
COMMENT ON COLUMN v_store_days.state IS
    'loaded; closed (loaded, and no check opened that day); missing; dead_lettered (the newest '
    'answer, or records of it, could not be loaded: what stands may be older or incomplete)';
COMMENT ON COLUMN v_store_days.as_of IS 'As-of of the newest loaded answer';
COMMENT ON COLUMN v_store_days.last_loaded_at IS 'When what is known of the day last changed';

CREATE VIEW v_freshness AS
SELECT
    store_id,
    source,
    max(bus_dt) AS newest_bus_dt,
    current_date - max(bus_dt) AS days_old,
    max(as_of) AS as_of,
    max(last_loaded_at) AS last_loaded_at
FROM store_days
WHERE bus_dt <= current_date + 1
GROUP BY store_id, source;
COMMENT ON VIEW v_freshness IS
    'One row a store and source that was ever loaded: how new what we know is. Dates after '
    'tomorrow left out: a wrong clock made them';
COMMENT ON COLUMN v_freshness.store_id IS 'The store as the ERP spells it';
COMMENT ON COLUMN v_freshness.source IS 'The endpoint; erp for exports';
COMMENT ON COLUMN v_freshness.newest_bus_dt IS 'Newest business date of which something is loaded';
COMMENT ON COLUMN v_freshness.days_old IS
    'Days from newest_bus_dt until today in the session''s time zone';
COMMENT ON COLUMN v_freshness.as_of IS 'As-of of the newest answer about any date';
COMMENT ON COLUMN v_freshness.last_loaded_at IS 'When what is known of any date last changed';
