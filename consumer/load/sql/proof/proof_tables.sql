-- What a proof keeps beside the rows: what is compared now, which document spoke of which check,
-- the documents whose keys do not say what they hold, and the items of all that was read.
CREATE TEMP TABLE compared_days (store_id text, bus_dt date);
CREATE TEMP TABLE compared_checks (
    store_id text, guest_check_id bigint, PRIMARY KEY (store_id, guest_check_id)
);
CREATE TEMP TABLE spoken (
    object_key text, version text, store_id text, guest_check_id bigint, is_patch boolean
);
CREATE TEMP TABLE read_items AS
SELECT store_id, menu_item_id, first_seen, last_seen FROM public.menu_items WITH NO DATA;
CREATE UNIQUE INDEX read_items_key ON read_items (store_id, menu_item_id);
CREATE TEMP TABLE items_before AS
SELECT store_id, menu_item_id, first_seen, last_seen FROM public.menu_items WITH NO DATA;
CREATE TEMP TABLE free_documents (
    place integer GENERATED ALWAYS AS IDENTITY,
    event jsonb,
    object_key text,
    source text,
    store_id text,
    days date [],
    guest_check_ids bigint []
);
CREATE INDEX free_documents_store ON free_documents (store_id)
