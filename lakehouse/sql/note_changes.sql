-- The change feed: what was written since it was last exported, filled by triggers. They run with
-- the rights of whoever made them, so that a loader needs none on the feed.
CREATE TABLE IF NOT EXISTS lakehouse_changes (
    change_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    topic text NOT NULL,
    business_day date,
    noted_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE lakehouse_changes IS
    'Business days whose rows changed since they were exported; lakehouse export empties it';
COMMENT ON COLUMN lakehouse_changes.topic IS
    'checks (with their taxes, lines and revenue), or the table that changed';
COMMENT ON COLUMN lakehouse_changes.business_day IS
    'NULL: checks whose day is not known; of menu_items, which are exported whole, always';

CREATE OR REPLACE FUNCTION lakehouse_note_checks() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO lakehouse_changes (topic, business_day)
        SELECT DISTINCT 'checks', opn_bus_dt FROM new_rows;
    ELSIF TG_OP = 'UPDATE' THEN
        INSERT INTO lakehouse_changes (topic, business_day)
        SELECT 'checks', opn_bus_dt FROM new_rows
        UNION
        SELECT 'checks', opn_bus_dt FROM old_rows;
    ELSIF TG_OP = 'DELETE' THEN
        INSERT INTO lakehouse_changes (topic, business_day)
        SELECT DISTINCT 'checks', opn_bus_dt FROM old_rows;
    ELSE
        INSERT INTO lakehouse_changes (topic, business_day)
        SELECT DISTINCT 'checks', opn_bus_dt FROM guest_checks;
    END IF;
    RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION lakehouse_note_children() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO lakehouse_changes (topic, business_day)
        SELECT DISTINCT 'checks', c.opn_bus_dt
        FROM (SELECT DISTINCT store_id, guest_check_id FROM new_rows) AS changed
        JOIN guest_checks AS c USING (store_id, guest_check_id);
    ELSIF TG_OP = 'UPDATE' THEN
        INSERT INTO lakehouse_changes (topic, business_day)
        SELECT DISTINCT 'checks', c.opn_bus_dt
        FROM (
            SELECT store_id, guest_check_id FROM new_rows
            UNION
            SELECT store_id, guest_check_id FROM old_rows
        ) AS changed
        JOIN guest_checks AS c USING (store_id, guest_check_id);
    ELSIF TG_OP = 'DELETE' THEN
        INSERT INTO lakehouse_changes (topic, business_day)
        SELECT DISTINCT 'checks', c.opn_bus_dt
        FROM (SELECT DISTINCT store_id, guest_check_id FROM old_rows) AS changed
        JOIN guest_checks AS c USING (store_id, guest_check_id);
    ELSE
        INSERT INTO lakehouse_changes (topic, business_day)
        SELECT DISTINCT 'checks', opn_bus_dt FROM guest_checks;
    END IF;
    RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION lakehouse_note_list() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO lakehouse_changes (topic, business_day)
        SELECT DISTINCT TG_TABLE_NAME, bus_dt FROM new_rows;
    ELSIF TG_OP = 'UPDATE' THEN
        INSERT INTO lakehouse_changes (topic, business_day)
        SELECT TG_TABLE_NAME, bus_dt FROM new_rows
        UNION
        SELECT TG_TABLE_NAME, bus_dt FROM old_rows;
    ELSIF TG_OP = 'DELETE' THEN
        INSERT INTO lakehouse_changes (topic, business_day)
        SELECT DISTINCT TG_TABLE_NAME, bus_dt FROM old_rows;
    ELSE
        EXECUTE format(
            'INSERT INTO lakehouse_changes (topic, business_day) '
            'SELECT DISTINCT %L, bus_dt FROM %I',
            TG_TABLE_NAME, TG_TABLE_NAME
        );
    END IF;
    RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION lakehouse_note_whole() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    -- A statement that wrote nothing changes nothing.
    IF TG_OP = 'INSERT' THEN
        PERFORM FROM new_rows LIMIT 1;
    ELSIF TG_OP <> 'TRUNCATE' THEN
        PERFORM FROM old_rows LIMIT 1;
    END IF;
    IF FOUND OR TG_OP = 'TRUNCATE' THEN
        INSERT INTO lakehouse_changes (topic) VALUES (TG_TABLE_NAME);
    END IF;
    RETURN NULL;
END
$$;
