-- The tables of the warehouse, their ledger and the analysts' views.
-- The consumer is the only writer. Money and rates are numeric without a scale: what the ERP
-- sent is what is stored. *_utc is timestamptz, *_lcl is the store's wall clock.

CREATE TABLE ingested_objects (
    object_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    bucket text NOT NULL,
    object_key text NOT NULL,
    version_id text,
    etag text,
    sequencer text,
    size_bytes bigint,
    source text,
    store_id text,
    bus_dt date,
    state text NOT NULL CHECK (state IN ('loaded', 'superseded', 'ignored', 'dead_lettered')),
    error_code text,
    error_message text,
    error_log_key text,
    records integer NOT NULL DEFAULT 0,
    quarantined integer NOT NULL DEFAULT 0,
    attempts integer NOT NULL DEFAULT 1,
    event_time timestamptz,
    event_order text COLLATE "C" NOT NULL DEFAULT '',
    received_at timestamptz NOT NULL,
    extra jsonb,
    committed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    version text GENERATED ALWAYS AS (coalesce(version_id, etag, '')) STORED,
    UNIQUE (bucket, object_key, version)
);
CREATE INDEX ingested_objects_state ON ingested_objects (state, source);
CREATE INDEX ingested_objects_committed_at ON ingested_objects (committed_at);
COMMENT ON TABLE ingested_objects IS 'Ledger: one row per object version and what became of it';
COMMENT ON COLUMN ingested_objects.version IS
    'What tells two contents of one key apart: the S3 version id, else the ETag';
COMMENT ON COLUMN ingested_objects.event_order IS
    'Place among all events as text, by time; the writes of one key in the order of their '
    'sequencers, whatever their times say. Decides between documents of equal version';
COMMENT ON COLUMN ingested_objects.extra IS
    'Fields beside the document''s list that its contract does not name, as sent';
COMMENT ON COLUMN ingested_objects.records IS 'Valid records in the document';
COMMENT ON COLUMN ingested_objects.quarantined IS 'Records set aside; listed in the error log';
COMMENT ON COLUMN ingested_objects.attempts IS 'Times the message was received, as SQS counts';

CREATE TABLE guest_checks (
    store_id text NOT NULL,
    guest_check_id bigint NOT NULL,
    chk_num bigint,
    opn_bus_dt date,
    opn_utc timestamptz,
    opn_lcl timestamp,
    clsd_bus_dt date,
    clsd_utc timestamptz,
    clsd_lcl timestamp,
    last_trans_utc timestamptz,
    last_trans_lcl timestamp,
    last_updated_utc timestamptz,
    last_updated_lcl timestamp,
    clsd_flag boolean,
    gst_cnt bigint,
    sub_ttl numeric,
    non_txbl_sls_ttl numeric,
    chk_ttl numeric,
    dsc_ttl numeric,
    pay_ttl numeric,
    bal_due_ttl numeric,
    rvc_num bigint,
    ot_num bigint,
    oc_num bigint,
    tbl_num bigint,
    tbl_name text,
    emp_num bigint,
    num_srvc_rd bigint,
    num_chk_prntd bigint,
    chk_name text,
    cancel_flag boolean,
    auto_svc_ttl numeric,
    svc_chg_ttl numeric,
    tax_coll_ttl numeric,
    tax_exmp_sls_ttl numeric,
    tip_total numeric,
    rnd_ttl numeric,
    vd_ttl numeric,
    mgr_vd_ttl numeric,
    return_ttl numeric,
    error_correct_ttl numeric,
    reopn_frm_chk text,
    reopn_to_chk text,
    splt_frm_chk text,
    xfer_status text,
    xfer_to_chk_num text,
    chk_ref text,
    extra jsonb,
    as_of timestamptz NOT NULL,
    object_id bigint NOT NULL,
    removed_at timestamptz,
    patched boolean NOT NULL DEFAULT false,
    PRIMARY KEY (store_id, guest_check_id)
);
CREATE INDEX guest_checks_guest_check_id ON guest_checks (guest_check_id);
-- The day first: starting with the store, it would look as good as the primary key to the foreign
-- keys' checks in a session that planned them while the table was empty.
CREATE INDEX guest_checks_business_day ON guest_checks (opn_bus_dt, store_id);
COMMENT ON TABLE guest_checks IS 'Check headers, the newest version of each';
COMMENT ON COLUMN guest_checks.last_updated_utc IS
    'The version of the check; null while only partial documents were seen';
COMMENT ON COLUMN guest_checks.as_of IS
    'curUTC of the document that the row comes from, else the LastModified of its object';
COMMENT ON COLUMN guest_checks.object_id IS 'Ledger row of the document that the row comes from';
COMMENT ON COLUMN guest_checks.extra IS 'Fields that the contract does not name, as sent';
COMMENT ON COLUMN guest_checks.sub_ttl IS 'Sales after discounts';

CREATE TABLE taxes (
    store_id text NOT NULL,
    guest_check_id bigint NOT NULL,
    tax_num bigint NOT NULL,
    txbl_sls_ttl numeric,
    tax_coll_ttl numeric,
    tax_rate numeric,
    type bigint,
    extra jsonb,
    removed_at timestamptz,
    PRIMARY KEY (store_id, guest_check_id, tax_num),
    FOREIGN KEY (store_id, guest_check_id) REFERENCES guest_checks
);
CREATE INDEX taxes_guest_check_id ON taxes (guest_check_id);
COMMENT ON TABLE taxes IS 'Taxes of a check; versioned with their check';
COMMENT ON COLUMN taxes.tax_num IS 'A tax code, not a row id';
COMMENT ON COLUMN taxes.tax_rate IS 'Percent: 21 is 21 %';
COMMENT ON COLUMN taxes.removed_at IS
    'As-of of the first full document that no longer had the row; null while it stands';

CREATE TABLE menu_items (
    store_id text NOT NULL,
    menu_item_id bigint NOT NULL,
    first_seen date,
    last_seen date,
    extra jsonb,
    removed_at timestamptz,
    PRIMARY KEY (store_id, menu_item_id)
);
CREATE INDEX menu_items_menu_item_id ON menu_items (menu_item_id);
COMMENT ON TABLE menu_items IS 'Every item ever sold in a store';
COMMENT ON COLUMN menu_items.menu_item_id IS 'The ERP''s miNum';
COMMENT ON COLUMN menu_items.first_seen IS 'First business date with a line of the item';
COMMENT ON COLUMN menu_items.last_seen IS 'Last business date with a line of the item';

CREATE TABLE detail_lines (
    store_id text NOT NULL,
    guest_check_id bigint NOT NULL,
    guest_check_line_item_id bigint NOT NULL,
    rvc_num bigint,
    dtl_ot_num bigint,
    dtl_oc_num bigint,
    line_num bigint,
    dtl_id bigint,
    par_dtl_id bigint,
    detail_utc timestamptz,
    detail_lcl timestamp,
    last_update_utc timestamptz,
    last_update_lcl timestamp,
    bus_dt date,
    ws_num bigint,
    dsp_ttl numeric,
    dsp_qty numeric,
    agg_ttl numeric,
    agg_qty numeric,
    chk_emp_id bigint,
    chk_emp_num bigint,
    trans_emp_id bigint,
    trans_emp_num bigint,
    svc_rnd_num bigint,
    seat_num bigint,
    vd_flag boolean,
    err_cor_flag boolean,
    return_flag boolean,
    do_not_show_flag boolean,
    rsn_code_num bigint,
    ref_info1 text,
    ref_info2 text,
    line_type text,
    menu_item_id bigint,
    mod_flag boolean,
    incl_tax numeric,
    active_taxes text,
    prc_lvl bigint,
    dsc_num bigint,
    dsc_mi_num bigint,
    svc_chg_num bigint,
    tmed_num bigint,
    error_correct_type text,
    object_num bigint,
    detail_type bigint,
    detail_num bigint,
    extra jsonb,
    removed_at timestamptz,
    PRIMARY KEY (store_id, guest_check_line_item_id),
    FOREIGN KEY (store_id, guest_check_id) REFERENCES guest_checks,
    FOREIGN KEY (store_id, menu_item_id) REFERENCES menu_items
);
CREATE INDEX detail_lines_menu_item ON detail_lines (menu_item_id, store_id);
COMMENT ON TABLE detail_lines IS 'Lines of a check; versioned with their check';
COMMENT ON COLUMN detail_lines.line_type IS
    'menu_item, discount, service_charge, tender_media, error_correct, other or unknown';
COMMENT ON COLUMN detail_lines.par_dtl_id IS 'dtl_id of the parent line inside the check';
COMMENT ON COLUMN detail_lines.mod_flag IS 'The line modifies its parent line';
COMMENT ON COLUMN detail_lines.incl_tax IS 'Tax included in the price, six decimals as sent';
COMMENT ON COLUMN detail_lines.last_update_utc IS 'As sent; known to be unreliable at the source';
COMMENT ON COLUMN detail_lines.ref_info1 IS 'May hold personal data';
COMMENT ON COLUMN detail_lines.ref_info2 IS 'May hold personal data';
COMMENT ON COLUMN detail_lines.object_num IS 'errorCorrect.objectNum';

CREATE TABLE check_patches (
    store_id text NOT NULL,
    guest_check_id bigint NOT NULL,
    table_name text NOT NULL,
    child_id bigint NOT NULL,
    patches jsonb NOT NULL,
    PRIMARY KEY (store_id, guest_check_id, table_name, child_id)
);
COMMENT ON COLUMN check_patches.child_id IS 'tax_num or guest_check_line_item_id; 0 of a header';
COMMENT ON COLUMN check_patches.patches IS
    'Per column {"v": value, "a": as-of, "o": event order} of the newest document that set it; a '
    'key that starts with + is a field of extra';

CREATE TABLE fiscal_invoices (
    store_id text NOT NULL,
    bus_dt date NOT NULL,
    record_id text NOT NULL,
    amount numeric,
    tax numeric,
    extra jsonb,
    as_of timestamptz NOT NULL,
    object_id bigint NOT NULL,
    removed_at timestamptz,
    PRIMARY KEY (store_id, bus_dt, record_id)
);
COMMENT ON TABLE fiscal_invoices IS 'Fiscal invoices (NFC-e) of a store and business date';
COMMENT ON COLUMN fiscal_invoices.record_id IS
    'invoiceId as text, or content:<hash>:<n> for rows without an id';

CREATE TABLE charge_backs (
    store_id text NOT NULL,
    bus_dt date NOT NULL,
    record_id text NOT NULL,
    amount numeric,
    reason text,
    extra jsonb,
    as_of timestamptz NOT NULL,
    object_id bigint NOT NULL,
    removed_at timestamptz,
    PRIMARY KEY (store_id, bus_dt, record_id)
);
COMMENT ON TABLE charge_backs IS 'Charge-backs of a store and business date, signs as sent';
COMMENT ON COLUMN charge_backs.record_id IS
    'chargeId as text, or content:<hash>:<n> for rows without an id';

CREATE TABLE transactions (
    store_id text NOT NULL,
    bus_dt date NOT NULL,
    record_id text NOT NULL,
    type text,
    amount numeric,
    extra jsonb,
    as_of timestamptz NOT NULL,
    object_id bigint NOT NULL,
    removed_at timestamptz,
    PRIMARY KEY (store_id, bus_dt, record_id)
);
COMMENT ON TABLE transactions IS 'Transactions of a store and business date';
COMMENT ON COLUMN transactions.record_id IS
    'transactionId as text, or content:<hash>:<n> for rows without an id';

CREATE TABLE cash_management_details (
    store_id text NOT NULL,
    bus_dt date NOT NULL,
    record_id text NOT NULL,
    opening_balance numeric,
    closing_balance numeric,
    extra jsonb,
    as_of timestamptz NOT NULL,
    object_id bigint NOT NULL,
    removed_at timestamptz,
    PRIMARY KEY (store_id, bus_dt, record_id)
);
COMMENT ON TABLE cash_management_details IS 'Cash boxes of a store and business date';
COMMENT ON COLUMN cash_management_details.record_id IS
    'cashBoxId as text, or content:<hash>:<n> for rows without an id';

CREATE VIEW v_daily_revenue AS
SELECT
    c.store_id,
    c.opn_bus_dt AS bus_dt,
    count(*) AS checks,
    coalesce(sum(c.gst_cnt), 0) AS guests,
    coalesce(sum(c.sub_ttl), 0) AS net,
    coalesce(sum(t.tax), 0) AS tax,
    coalesce(sum(c.dsc_ttl), 0) AS discounts
FROM guest_checks AS c
LEFT JOIN (
    SELECT store_id, guest_check_id, sum(tax_coll_ttl) AS tax
    FROM taxes
    WHERE removed_at IS NULL
    GROUP BY store_id, guest_check_id
) AS t USING (store_id, guest_check_id)
WHERE c.removed_at IS NULL AND c.cancel_flag IS NOT TRUE
GROUP BY c.store_id, c.opn_bus_dt;
COMMENT ON VIEW v_daily_revenue IS
    'Revenue by store and the business date on which checks opened; cancelled checks left out';
COMMENT ON COLUMN v_daily_revenue.net IS 'Sum of sub_ttl: sales after discounts';
COMMENT ON COLUMN v_daily_revenue.discounts IS 'Negative or 0, as the ERP sends them';

CREATE VIEW v_check_reconciliation AS
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
JOIN (
    SELECT
        store_id,
        guest_check_id,
        coalesce(sum(dsp_ttl) FILTER (WHERE line_type IN ('menu_item', 'discount')), 0)
            AS lines_ttl,
        coalesce(sum(dsp_ttl) FILTER (WHERE line_type = 'tender_media'), 0) AS tenders_ttl
    FROM detail_lines
    WHERE removed_at IS NULL AND vd_flag IS NOT TRUE
    GROUP BY store_id, guest_check_id
) AS l USING (store_id, guest_check_id)
WHERE
    c.removed_at IS NULL
    AND (c.sub_ttl IS DISTINCT FROM l.lines_ttl OR c.pay_ttl IS DISTINCT FROM l.tenders_ttl);
COMMENT ON VIEW v_check_reconciliation IS
    'Checks whose header differs from its lines: a hint for analysts, never a rejection';

-- An upsert that waited for another transaction decides by that transaction's outcome. It sees the
-- row it waited for, but its snapshot is older than the other tables' rows; a volatile function
-- reads with a snapshot of its own.

CREATE FUNCTION is_no_older_event(object_id bigint, than_object_id bigint) RETURNS boolean
LANGUAGE sql VOLATILE AS $$
    SELECT $1 = $2
    OR (SELECT o.event_order FROM ingested_objects AS o WHERE o.object_id = $1)
    >= (SELECT o.event_order FROM ingested_objects AS o WHERE o.object_id = $2)
$$;
COMMENT ON FUNCTION is_no_older_event IS 'Decides between two documents of equal version';

CREATE FUNCTION merge_patches(stored jsonb, fresh jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT jsonb_object_agg(
        key, value ORDER BY (value ->> 'a')::timestamptz, (value ->> 'o') COLLATE "C", age
    )
    FROM (
        SELECT key, value, 1 AS age FROM jsonb_each(coalesce(stored, '{}'))
        UNION ALL
        SELECT key, value, 2 FROM jsonb_each(coalesce(fresh, '{}'))
    ) AS either
$$;
COMMENT ON FUNCTION merge_patches IS
    'Per column the newest of two sets of patches; of equally new ones, the one read last';

CREATE FUNCTION patches_since(patches jsonb, since timestamptz) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT jsonb_object_agg(key, value -> 'v')
    FROM jsonb_each(patches)
    WHERE (value ->> 'a')::timestamptz >= since
$$;
COMMENT ON FUNCTION patches_since IS
    'Columns and values that partial documents not older than a full one set; null if none';

CREATE FUNCTION apply_patches(base anyelement, changes jsonb) RETURNS anyelement
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT jsonb_populate_record(
        base,
        coalesce(jsonb_object_agg(key, value) FILTER (WHERE left(key, 1) <> '+'), '{}')
        || CASE WHEN bool_or(left(key, 1) = '+') THEN jsonb_build_object(
            'extra',
            coalesce(nullif(to_jsonb(base) -> 'extra', 'null'), '{}')
            || jsonb_object_agg(substr(key, 2), value) FILTER (WHERE left(key, 1) = '+')
        ) ELSE '{}' END
    )
    FROM jsonb_each(coalesce(changes, '{}'))
$$;
COMMENT ON FUNCTION apply_patches IS 'A row with the columns that changes set, others left alone';
