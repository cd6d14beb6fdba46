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

-- The triggers are part of every load. What wrote nothing, as most statements of a load, costs a
-- look at an empty table; checks are looked up by their keys, whatever the statistics say, since a
-- session keeps the plan of its first load.

CREATE OR REPLACE FUNCTION lakehouse_note_checks() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF EXISTS (SELECT FROM new_rows) THEN
            INSERT INTO lakehouse_changes (topic, business_day)
            SELECT DISTINCT 'checks', opn_bus_dt FROM new_rows;
        END IF;
    ELSIF TG_OP = 'UPDATE' THEN
        IF EXISTS (SELECT FROM new_rows) THEN
            INSERT INTO lakehouse_changes (topic, business_day)
            SELECT 'checks', opn_bus_dt FROM new_rows
            UNION
            SELECT 'checks', opn_bus_dt FROM old_rows;
        END IF;
    ELSIF TG_OP = 'DELETE' THEN
        IF EXISTS (SELECT FROM old_rows) THEN
            INSERT INTO lakehouse_changes (topic, business_day)
            SELECT DISTINCT 'checks', opn_bus_dt FROM old_rows;
        END IF;
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
        IF EXISTS (SELECT FROM new_rows) THEN
            INSERT INTO lakehouse_changes (topic, business_day)
            SELECT DISTINCT 'checks', c.opn_bus_dt
            FROM (SELECT DISTINCT store_id, guest_check_id FROM new_rows) AS changed
            CROSS JOIN LATERAL (
                SELECT g.opn_bus_dt
                FROM guest_checks AS g
                WHERE (g.store_id, g.guest_check_id) = (changed.store_id, changed.guest_check_id)
                OFFSET 0
            ) AS c;
        END IF;
    ELSIF TG_OP = 'UPDATE' THEN
        IF EXISTS (SELECT FROM new_rows) THEN
            INSERT INTO lakehouse_changes (topic, business_day)
            SELECT DISTINCT 'checks', c.opn_bus_dt
            FROM (
                SELECT store_id, guest_check_id FROM new_rows
                UNION
                SELECT store_id, guest_check_id FROM old_rows
            ) AS changed
            CROSS JOIN LATERAL (
                SELECT g.opn_bus_dt
                FROM guest_checks AS g
                WHERE (g.store_id, g.guest_check_id) = (changed.store_id, changed.guest_check_id)
                OFFSET 0
            ) AS c;
        END IF;
    ELSIF TG_OP = 'DELETE' THEN
        IF EXISTS (SELECT FROM old_rows) THEN
            INSERT INTO lakehouse_changes (topic, business_day)
            SELECT DISTINCT 'checks', c.opn_bus_dt
            FROM (SELECT DISTINCT store_id, guest_check_id FROM old_rows) AS changed
            CROSS JOIN LATERAL (
                SELECT g.opn_bus_dt
                FROM guest_checks AS g
                WHERE (g.store_id, g.guest_check_id) = (changed.store_id, changed.guest_check_id)
                OFFSET 0
            ) AS c;
        END IF;
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
        IF EXISTS (SELECT FROM new_rows) THEN
            INSERT INTO lakehouse_changes (topic, business_day)
            SELECT DISTINCT TG_TABLE_NAME, bus_dt FROM new_rows;
        END IF;
    ELSIF TG_OP = 'UPDATE' THEN
        IF EXISTS (SELECT FROM new_rows) THEN
            INSERT INTO lakehouse_changes (topic, business_day)
            SELECT TG_TABLE_NAME, bus_dt FROM new_rows
            UNION
            SELECT TG_TABLE_NAME, bus_dt FROM old_rows;
        END IF;
    ELSIF TG_OP = 'DELETE' THEN
        IF EXISTS (SELECT FROM old_rows) THEN
            INSERT INTO lakehouse_changes (topic, business_day)
            SELECT DISTINCT TG_TABLE_NAME, bus_dt FROM old_rows;
        END IF;
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
    IF TG_OP = 'INSERT' THEN
        IF EXISTS (SELECT FROM new_rows) THEN
            INSERT INTO lakehouse_changes (topic) VALUES (TG_TABLE_NAME);
        END IF;
    ELSIF TG_OP = 'UPDATE' THEN
        IF EXISTS (SELECT FROM new_rows) THEN
            INSERT INTO lakehouse_changes (topic) VALUES (TG_TABLE_NAME);
        END IF;
    ELSIF TG_OP = 'DELETE' THEN
        IF EXISTS (SELECT FROM old_rows) THEN
            INSERT INTO lakehouse_changes (topic) VALUES (TG_TABLE_NAME);
        END IF;
    ELSE
        INSERT INTO lakehouse_changes (topic) VALUES (TG_TABLE_NAME);
    END IF;
    RETURN NULL;
END
$$;
