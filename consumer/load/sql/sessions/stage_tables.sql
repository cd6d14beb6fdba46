-- Session-private tables that a batch is copied into; emptied at every commit. A document has the
-- columns of its ledger row.
CREATE TEMP TABLE IF NOT EXISTS stage_documents ON COMMIT DELETE ROWS AS
SELECT
    NULL::integer AS doc_no,
    o.*,
    -- For the guards: as sent, but not later than is credible.
    NULL::timestamptz AS as_of,
    NULL::timestamptz AS sent_as_of,
    NULL::timestamptz AS latest_credible,
    NULL::date[] AS days,
    NULL::jsonb AS gap,
    NULL::jsonb AS findings,
    NULL::jsonb AS record_counts,
    NULL::jsonb AS field_counts,
    NULL::integer AS unchanged,
    NULL::bytea AS digest,
    -- Whether the version had a ledger row before.
    NULL::boolean AS is_known
FROM ingested_objects AS o
WITH NO DATA;
CREATE UNIQUE INDEX IF NOT EXISTS stage_documents_doc_no ON stage_documents (doc_no);

CREATE TEMP TABLE IF NOT EXISTS stage_winners ON COMMIT DELETE ROWS AS
SELECT
    NULL::integer AS doc_no, NULL::integer AS pos, store_id, guest_check_id,
    last_updated_utc AS version, as_of, as_of AS sent_as_of, latest_credible, object_id,
    false AS fresh, false AS applied, patched
FROM guest_checks
WITH NO DATA;

CREATE TEMP TABLE IF NOT EXISTS stage_days ON COMMIT DELETE ROWS AS
SELECT
    NULL::integer AS doc_no, source, store_id, bus_dt, as_of, event_order, object_id,
    false AS whole, digest, false AS unread, record_counts, field_counts, gaps AS gap, gaps,
    false AS standing, false AS applied, records, quarantined
FROM store_days
WITH NO DATA;

CREATE TEMP TABLE IF NOT EXISTS stage_patches ON COMMIT DELETE ROWS AS
SELECT
    NULL::integer AS doc_no, NULL::integer AS pos, store_id, table_name, guest_check_id, child_id,
    patches AS patch
FROM check_patches
WITH NO DATA;

CREATE TEMP TABLE IF NOT EXISTS stage_sold ON COMMIT DELETE ROWS AS
SELECT store_id, menu_item_id, first_seen, last_seen FROM menu_items
WITH NO DATA;

CREATE TEMP TABLE IF NOT EXISTS stage_unchanged ON COMMIT DELETE ROWS AS
SELECT
    NULL::integer AS doc_no, NULL::integer AS pos, store_id, guest_check_id, content_digest
FROM guest_checks
WITH NO DATA;
