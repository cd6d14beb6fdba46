-- Every column says what it holds: those of fields as their contracts do.
-- Works with releases from schema 0010 on.

COMMENT ON COLUMN guest_checks.guest_check_id IS 'Id of the check within its store';
COMMENT ON COLUMN guest_checks.chk_num IS
    'Number that staff see; it comes again, use guest_check_id';
COMMENT ON COLUMN guest_checks.opn_bus_dt IS
    'Business date on which the check was opened: revenue belongs to it';
COMMENT ON COLUMN guest_checks.opn_utc IS 'When the check was opened';
COMMENT ON COLUMN guest_checks.opn_lcl IS 'opn_utc on the store''s wall clock';
COMMENT ON COLUMN guest_checks.clsd_bus_dt IS
    'Business date on which the check was closed; null while it is open';
COMMENT ON COLUMN guest_checks.clsd_utc IS 'Null while the check is open';
COMMENT ON COLUMN guest_checks.clsd_lcl IS 'clsd_utc on the store''s wall clock';
COMMENT ON COLUMN guest_checks.last_trans_utc IS
    'When something was last entered; may be later than clsd_utc';
COMMENT ON COLUMN guest_checks.last_trans_lcl IS 'last_trans_utc on the store''s clock';
COMMENT ON COLUMN guest_checks.last_updated_lcl IS 'last_updated_utc on the store''s clock';
COMMENT ON COLUMN guest_checks.clsd_flag IS 'Whether the check is closed';
COMMENT ON COLUMN guest_checks.gst_cnt IS 'Guests';
COMMENT ON COLUMN guest_checks.sub_ttl IS 'Sales after discounts, taxes in prices included';
COMMENT ON COLUMN guest_checks.non_txbl_sls_ttl IS 'Sales without any tax; often null';
COMMENT ON COLUMN guest_checks.chk_ttl IS 'Sales and service charges: what is owed';
COMMENT ON COLUMN guest_checks.dsc_ttl IS
    'Discounts, negative or 0; a line need not show each of them';
COMMENT ON COLUMN guest_checks.pay_ttl IS 'What was paid';
COMMENT ON COLUMN guest_checks.bal_due_ttl IS 'Still to be paid; null when settled';
COMMENT ON COLUMN guest_checks.rvc_num IS 'Revenue center';
COMMENT ON COLUMN guest_checks.ot_num IS 'Order type';
COMMENT ON COLUMN guest_checks.oc_num IS 'Order channel; null as far as seen';
COMMENT ON COLUMN guest_checks.tbl_num IS 'Number of the table';
COMMENT ON COLUMN guest_checks.tbl_name IS 'Name of the table';
COMMENT ON COLUMN guest_checks.emp_num IS 'Employee who owns the check';
COMMENT ON COLUMN guest_checks.num_srvc_rd IS 'Service rounds';
COMMENT ON COLUMN guest_checks.num_chk_prntd IS 'How often the check was printed';
COMMENT ON COLUMN guest_checks.chk_name IS
    'Free text that staff gave the check; may hold personal data';
COMMENT ON COLUMN guest_checks.cancel_flag IS
    'The check was cancelled: it is no revenue, though its lines and payments stay';
COMMENT ON COLUMN guest_checks.auto_svc_ttl IS 'Service charges added by the ERP itself';
COMMENT ON COLUMN guest_checks.svc_chg_ttl IS 'Service charges that staff added';
COMMENT ON COLUMN guest_checks.tax_coll_ttl IS
    'Sent for some checks only: sum taxes.tax_coll_ttl instead';
COMMENT ON COLUMN guest_checks.tax_exmp_sls_ttl IS 'Sales exempt from tax';
COMMENT ON COLUMN guest_checks.tip_total IS 'Tips';
COMMENT ON COLUMN guest_checks.rnd_ttl IS 'Rounding';
COMMENT ON COLUMN guest_checks.vd_ttl IS 'Voids';
COMMENT ON COLUMN guest_checks.mgr_vd_ttl IS 'Voids by a manager';
COMMENT ON COLUMN guest_checks.return_ttl IS 'Items taken back';
COMMENT ON COLUMN guest_checks.error_correct_ttl IS 'Corrections of entries';
COMMENT ON COLUMN guest_checks.reopn_frm_chk IS 'Check that this one was reopened from';
COMMENT ON COLUMN guest_checks.reopn_to_chk IS 'Check that this one was reopened as';
COMMENT ON COLUMN guest_checks.splt_frm_chk IS 'Check that this one was split from';
COMMENT ON COLUMN guest_checks.xfer_status IS 'Transfer state, such as TO_CHECK';
COMMENT ON COLUMN guest_checks.xfer_to_chk_num IS 'Check that this one went to';
COMMENT ON COLUMN guest_checks.chk_ref IS 'Reference to a delivery or the like';

COMMENT ON COLUMN taxes.txbl_sls_ttl IS 'Sales that the tax was charged on';
COMMENT ON COLUMN taxes.tax_coll_ttl IS 'The tax, part of the prices; two decimals as sent';
COMMENT ON COLUMN taxes.type IS 'Kind of tax, a code of the ERP';

COMMENT ON COLUMN detail_lines.guest_check_line_item_id IS 'Id of the line within its check';
COMMENT ON COLUMN detail_lines.rvc_num IS 'Revenue center of the line';
COMMENT ON COLUMN detail_lines.dtl_ot_num IS 'Order type of the line';
COMMENT ON COLUMN detail_lines.dtl_oc_num IS 'Order channel of the line';
COMMENT ON COLUMN detail_lines.line_num IS 'Place of the line on the check';
COMMENT ON COLUMN detail_lines.dtl_id IS
    'Number of the line inside its check; par_dtl_id of lines that belong to it';
COMMENT ON COLUMN detail_lines.detail_utc IS 'When the line was entered';
COMMENT ON COLUMN detail_lines.detail_lcl IS 'detail_utc on the store''s wall clock';
COMMENT ON COLUMN detail_lines.last_update_lcl IS
    'As sent, the store''s wall clock; known to be unreliable at the source';
COMMENT ON COLUMN detail_lines.bus_dt IS
    'Business date on which the line was entered; the check''s own is opn_bus_dt';
COMMENT ON COLUMN detail_lines.ws_num IS 'Workstation on which the line was entered';
COMMENT ON COLUMN detail_lines.dsp_ttl IS
    'Amount as the check shows it; mirrors of voids and corrections are negative';
COMMENT ON COLUMN detail_lines.dsp_qty IS
    'Quantity as the check shows it: fractional by weight, 0 and negative occur';
COMMENT ON COLUMN detail_lines.agg_ttl IS 'Amount as reports of the ERP sum it';
COMMENT ON COLUMN detail_lines.agg_qty IS 'Quantity as reports of the ERP sum it';
COMMENT ON COLUMN detail_lines.chk_emp_id IS 'Id of the employee who owns the check';
COMMENT ON COLUMN detail_lines.chk_emp_num IS 'Employee who owns the check';
COMMENT ON COLUMN detail_lines.trans_emp_id IS 'Id of the employee who entered the line';
COMMENT ON COLUMN detail_lines.trans_emp_num IS 'Employee who entered the line';
COMMENT ON COLUMN detail_lines.svc_rnd_num IS 'Service round in which the line was ordered';
COMMENT ON COLUMN detail_lines.seat_num IS 'Seat that the line was ordered for';
COMMENT ON COLUMN detail_lines.vd_flag IS
    'The line is voided, or mirrors one that is: is_counted_line tells which';
COMMENT ON COLUMN detail_lines.err_cor_flag IS 'The line was, or makes, a correction';
COMMENT ON COLUMN detail_lines.return_flag IS 'The line takes an item back';
COMMENT ON COLUMN detail_lines.do_not_show_flag IS 'The printed check leaves the line out';
COMMENT ON COLUMN detail_lines.rsn_code_num IS 'Reason of a void or return';
COMMENT ON COLUMN detail_lines.active_taxes IS
    'Numbers of the taxes in the price, such as 28 or 1,5';
COMMENT ON COLUMN detail_lines.prc_lvl IS 'Price level that the item was sold at';
COMMENT ON COLUMN detail_lines.dsc_num IS 'The discount, a number of the ERP';
COMMENT ON COLUMN detail_lines.dsc_mi_num IS 'The item that the discount was given on';
COMMENT ON COLUMN detail_lines.svc_chg_num IS 'The service charge, a number of the ERP';
COMMENT ON COLUMN detail_lines.tmed_num IS 'Means of payment, a number of the ERP';
COMMENT ON COLUMN detail_lines.error_correct_type IS
    'errorCorrect.type: what kind of line was corrected, 1 for an item';
COMMENT ON COLUMN detail_lines.detail_type IS 'other.detailType: kind of detail, a code of the ERP';
COMMENT ON COLUMN detail_lines.detail_num IS 'other.detailNum: number within its kind';

COMMENT ON COLUMN fiscal_invoices.amount IS
    'What the invoice is about: the check''s chk_ttl, as a rule';
COMMENT ON COLUMN fiscal_invoices.tax IS 'Tax in the amount';
COMMENT ON COLUMN fiscal_invoices.invoice_number IS 'Number of the invoice within its series';
COMMENT ON COLUMN fiscal_invoices.series IS 'Series of the invoice';
COMMENT ON COLUMN fiscal_invoices.trans_utc IS 'When the invoice was issued';
COMMENT ON COLUMN fiscal_invoices.trans_lcl IS
    'When the invoice was issued, the store''s wall clock';
COMMENT ON COLUMN fiscal_invoices.ws_num IS 'Workstation that issued the invoice';

COMMENT ON COLUMN charge_backs.amount IS 'Amount in dispute, its sign as sent';
COMMENT ON COLUMN charge_backs.reason IS 'Reason as the card company words it';
COMMENT ON COLUMN charge_backs.tmed_num IS 'Means of payment, a number of the ERP';
COMMENT ON COLUMN charge_backs.trans_utc IS 'When the charge-back was reported';

COMMENT ON COLUMN transactions.type IS 'Kind of transaction, such as SALE, REFUND or PAID_OUT';
COMMENT ON COLUMN transactions.amount IS 'Amount; refunds and what was paid out are negative';
COMMENT ON COLUMN transactions.trans_utc IS 'When the money changed hands';
COMMENT ON COLUMN transactions.trans_lcl IS 'When the money changed hands, the store''s wall clock';
COMMENT ON COLUMN transactions.tmed_num IS 'Means of payment, a number of the ERP';
COMMENT ON COLUMN transactions.ws_num IS 'Workstation of the transaction';
COMMENT ON COLUMN transactions.emp_num IS 'Number of the employee who took the money';
COMMENT ON COLUMN transactions.description IS 'Free text, as of what was paid out';

COMMENT ON COLUMN cash_management_details.opening_balance IS 'Money in the box when it was opened';
COMMENT ON COLUMN cash_management_details.closing_balance IS
    'Money in the box as counted when it was closed';
COMMENT ON COLUMN cash_management_details.ws_num IS 'Workstation that the box belongs to';
COMMENT ON COLUMN cash_management_details.emp_num IS 'Employee of the box, a number of the ERP';
COMMENT ON COLUMN cash_management_details.open_utc IS 'When the box was opened';
COMMENT ON COLUMN cash_management_details.close_utc IS 'When the box was closed';
COMMENT ON COLUMN cash_management_details.description IS 'Free text, as of a box without a number';

COMMENT ON COLUMN guest_checks.store_id IS
    'The store as the ERP spells it: text, leading zeros and spaces inside kept';
COMMENT ON COLUMN guest_checks.removed_at IS
    'Set when the ERP took the row back: filter on removed_at IS NULL';

COMMENT ON COLUMN taxes.store_id IS
    'The store as the ERP spells it: text, leading zeros and spaces inside kept';
COMMENT ON COLUMN taxes.guest_check_id IS 'The check: guest_checks knows it by store and this id';
COMMENT ON COLUMN taxes.extra IS 'Fields that the contract does not name, as sent';

COMMENT ON COLUMN detail_lines.store_id IS
    'The store as the ERP spells it: text, leading zeros and spaces inside kept';
COMMENT ON COLUMN detail_lines.guest_check_id IS
    'The check: guest_checks knows it by store and this id';
COMMENT ON COLUMN detail_lines.extra IS 'Fields that the contract does not name, as sent';

COMMENT ON COLUMN menu_items.store_id IS
    'The store as the ERP spells it: text, leading zeros and spaces inside kept';
COMMENT ON COLUMN menu_items.extra IS 'Always null: no document is about items alone';
COMMENT ON COLUMN menu_items.removed_at IS 'Always null: an item stays known';

COMMENT ON COLUMN check_patches.store_id IS
    'The store as the ERP spells it: text, leading zeros and spaces inside kept';
COMMENT ON COLUMN check_patches.guest_check_id IS
    'The check: guest_checks knows it by store and this id';
COMMENT ON COLUMN check_patches.table_name IS 'guest_checks, taxes or detail_lines';

COMMENT ON COLUMN fiscal_invoices.store_id IS
    'The store as the ERP spells it: text, leading zeros and spaces inside kept';
COMMENT ON COLUMN fiscal_invoices.bus_dt IS 'Business date of the answer that lists the row';
COMMENT ON COLUMN fiscal_invoices.extra IS 'Fields that the contract does not name, as sent';
COMMENT ON COLUMN fiscal_invoices.as_of IS
    'curUTC of the answer that the row comes from, else the LastModified of its object';
COMMENT ON COLUMN fiscal_invoices.object_id IS 'Ledger row of the answer that the row comes from';
COMMENT ON COLUMN fiscal_invoices.removed_at IS
    'Set when the ERP took the row back: filter on removed_at IS NULL';

COMMENT ON COLUMN charge_backs.store_id IS
    'The store as the ERP spells it: text, leading zeros and spaces inside kept';
COMMENT ON COLUMN charge_backs.bus_dt IS 'Business date of the answer that lists the row';
COMMENT ON COLUMN charge_backs.extra IS 'Fields that the contract does not name, as sent';
COMMENT ON COLUMN charge_backs.as_of IS
    'curUTC of the answer that the row comes from, else the LastModified of its object';
COMMENT ON COLUMN charge_backs.object_id IS 'Ledger row of the answer that the row comes from';
COMMENT ON COLUMN charge_backs.removed_at IS
    'Set when the ERP took the row back: filter on removed_at IS NULL';

COMMENT ON COLUMN transactions.store_id IS
    'The store as the ERP spells it: text, leading zeros and spaces inside kept';
COMMENT ON COLUMN transactions.bus_dt IS 'Business date of the answer that lists the row';
COMMENT ON COLUMN transactions.extra IS 'Fields that the contract does not name, as sent';
COMMENT ON COLUMN transactions.as_of IS
    'curUTC of the answer that the row comes from, else the LastModified of its object';
COMMENT ON COLUMN transactions.object_id IS 'Ledger row of the answer that the row comes from';
COMMENT ON COLUMN transactions.removed_at IS
    'Set when the ERP took the row back: filter on removed_at IS NULL';

COMMENT ON COLUMN cash_management_details.store_id IS
    'The store as the ERP spells it: text, leading zeros and spaces inside kept';
COMMENT ON COLUMN cash_management_details.bus_dt IS
    'Business date of the answer that lists the row';
COMMENT ON COLUMN cash_management_details.extra IS
    'Fields that the contract does not name, as sent';
COMMENT ON COLUMN cash_management_details.as_of IS
    'curUTC of the answer that the row comes from, else the LastModified of its object';
COMMENT ON COLUMN cash_management_details.object_id IS
    'Ledger row of the answer that the row comes from';
COMMENT ON COLUMN cash_management_details.removed_at IS
    'Set when the ERP took the row back: filter on removed_at IS NULL';

COMMENT ON COLUMN ingested_objects.object_id IS 'Number of the object version, given by us';
COMMENT ON COLUMN ingested_objects.bucket IS 'Bucket of the object';
COMMENT ON COLUMN ingested_objects.object_key IS 'Key of the object';
COMMENT ON COLUMN ingested_objects.version_id IS 'S3 version id; null in a bucket without versions';
COMMENT ON COLUMN ingested_objects.etag IS 'ETag, without its quotes';
COMMENT ON COLUMN ingested_objects.sequencer IS 'Order of the writes of one key, as S3 says it';
COMMENT ON COLUMN ingested_objects.size_bytes IS 'Bytes as stored';
COMMENT ON COLUMN ingested_objects.source IS
    'What kind of document it is: erp, or the endpoint that it answers; null: unknown';
COMMENT ON COLUMN ingested_objects.store_id IS 'The store that the document or its key names';
COMMENT ON COLUMN ingested_objects.bus_dt IS
    'The business date that the document or its key names; null for exports of several days';
COMMENT ON COLUMN ingested_objects.state IS
    'loaded, superseded (newer data stood already), ignored or dead_lettered';
COMMENT ON COLUMN ingested_objects.error_code IS
    'Why it was not loaded whole, one of docs/reference/error-codes.md';
COMMENT ON COLUMN ingested_objects.error_message IS 'The same in words';
COMMENT ON COLUMN ingested_objects.error_log_key IS 'Where in the bucket the error log is';
COMMENT ON COLUMN ingested_objects.event_time IS 'When S3 says that it was written';
COMMENT ON COLUMN ingested_objects.received_at IS 'When its message was received';
COMMENT ON COLUMN ingested_objects.committed_at IS 'When this row was last written';

COMMENT ON COLUMN store_days.source IS 'The endpoint, or erp for exports';
COMMENT ON COLUMN store_days.store_id IS
    'The store as the ERP spells it: text, leading zeros and spaces inside kept';
COMMENT ON COLUMN store_days.bus_dt IS
    'Business date of the answer; of an export, on which its checks opened';
COMMENT ON COLUMN store_days.as_of IS 'As-of of the newest answer';
COMMENT ON COLUMN store_days.event_order IS
    'Place of its event among all events; decides between answers of equal as-of';
COMMENT ON COLUMN store_days.whole_event_order IS 'Place of the newest whole answer''s event';
COMMENT ON COLUMN store_days.counted_as_of IS 'As-of of the answer whose fields are counted';
COMMENT ON COLUMN store_days.counted_event_order IS 'Place of that answer''s event';
COMMENT ON COLUMN store_days.first_loaded_at IS 'When something of the day was first loaded';

COMMENT ON COLUMN drift_findings.finding_id IS 'Number of the finding';
COMMENT ON COLUMN drift_findings.source IS 'The endpoint, or erp for exports';
COMMENT ON COLUMN drift_findings.kind IS
    'What is unusual, such as unknown, retyped or suspected_rename';

COMMENT ON COLUMN object_findings.object_id IS 'Ledger row of the object version';
COMMENT ON COLUMN object_findings.finding_id IS 'What it shows: a row of drift_findings';
COMMENT ON COLUMN object_findings.event_time IS 'When the object was written';
COMMENT ON COLUMN object_findings.occurrences IS 'How often the object shows it';

COMMENT ON COLUMN forgotten_drift.source IS 'The endpoint, or erp for exports';
COMMENT ON COLUMN forgotten_drift.path IS 'Dotted path in the document';
COMMENT ON COLUMN forgotten_drift.forgotten_at IS
    'Only documents that were written later show it again';

COMMENT ON COLUMN schema_drift.source IS 'The endpoint, or erp for exports';
COMMENT ON COLUMN schema_drift.kind IS
    'What is unusual, such as unknown, retyped or suspected_rename';
COMMENT ON COLUMN schema_drift.first_seen IS 'When the first document that shows it was written';
COMMENT ON COLUMN schema_drift.last_seen IS 'When the last document that shows it was written';
COMMENT ON COLUMN schema_drift.objects IS 'How many object versions show it';
COMMENT ON COLUMN schema_drift.first_object_key IS 'Key of the first document that shows it';
COMMENT ON COLUMN schema_drift.last_object_key IS 'Key of the last document that shows it';
COMMENT ON COLUMN schema_drift.detail IS
    'The JSON type of an unknown field, the one expected of a retyped field, or the line that '
    'mends a rename';
COMMENT ON COLUMN schema_drift.last_bus_dt IS
    'The business date of the document that showed it last; empty if that was an export of checks';
