-- Session-private tables that a batch is copied into; emptied at every commit.
CREATE TEMP TABLE IF NOT EXISTS stage_documents (
    doc_no integer PRIMARY KEY,
    object_id bigint,
    bucket text NOT NULL,
    object_key text NOT NULL,
    version_id text,
    etag text,
    sequencer text,
    size_bytes bigint,
    source text NOT NULL,
    store_id text NOT NULL,
    bus_dt date,
    -- For the guards: as sent, but not later than is credible.
    as_of timestamptz NOT NULL,
    sent_as_of timestamptz NOT NULL,
    latest_credible timestamptz NOT NULL,
    event_time timestamptz NOT NULL,
    event_order text COLLATE "C",
    received_at timestamptz NOT NULL,
    attempts integer NOT NULL,
    records integer NOT NULL,
    quarantined integer NOT NULL,
    alias_fingerprint text,
    error_message text,
    error_log_key text,
    days date[] NOT NULL,
    extra jsonb,
    gap jsonb,
    findings jsonb,
    record_counts jsonb,
    field_counts jsonb
) ON COMMIT DELETE ROWS;

CREATE TEMP TABLE IF NOT EXISTS stage_winners (
    doc_no integer NOT NULL,
    pos integer NOT NULL,
    store_id text NOT NULL,
    guest_check_id bigint NOT NULL,
    version timestamptz,
    as_of timestamptz NOT NULL,
    sent_as_of timestamptz NOT NULL,
    latest_credible timestamptz,
    object_id bigint NOT NULL,
    fresh boolean NOT NULL DEFAULT false,
    applied boolean NOT NULL DEFAULT false,
    patched boolean NOT NULL DEFAULT false
) ON COMMIT DELETE ROWS;

CREATE TEMP TABLE IF NOT EXISTS stage_days (
    doc_no integer NOT NULL,
    source text NOT NULL,
    store_id text NOT NULL,
    bus_dt date NOT NULL,
    as_of timestamptz NOT NULL,
    event_order text COLLATE "C" NOT NULL,
    object_id bigint NOT NULL,
    whole boolean NOT NULL,
    record_counts jsonb,
    field_counts jsonb,
    gap jsonb,
    gaps jsonb,
    standing boolean NOT NULL DEFAULT false,
    applied boolean NOT NULL DEFAULT false
) ON COMMIT DELETE ROWS;

CREATE TEMP TABLE IF NOT EXISTS stage_patches (
    doc_no integer NOT NULL,
    pos integer NOT NULL,
    store_id text NOT NULL,
    table_name text NOT NULL,
    guest_check_id bigint NOT NULL,
    child_id bigint,
    patch jsonb NOT NULL
) ON COMMIT DELETE ROWS;

CREATE TEMP TABLE IF NOT EXISTS stage_sold (
    store_id text NOT NULL,
    menu_item_id bigint NOT NULL,
    first_seen date,
    last_seen date
) ON COMMIT DELETE ROWS;
