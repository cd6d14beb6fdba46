-- The fields that the store-day lists are known to send get columns of their own, and every later
-- step can do the same for a field: promote_fields moves its values.

CREATE FUNCTION column_text(value jsonb, kind text) RETURNS text
LANGUAGE plpgsql IMMUTABLE SET timezone = 'UTC' AS $$
DECLARE
    sent text := value #>> '{}';
    json_type text := jsonb_typeof(value);
    number numeric;
    time_text text := '^\d{4}-\d\d-\d\d[Tt ]([01]\d|2[0-3]):[0-5]\d(:[0-5]\d([.,]\d{1,6}0*)?)?'
        '([Zz]|[+-](0\d|1[0-5]):?\d\d)?$';
BEGIN
    IF json_type IN ('object', 'array', 'null') THEN
        RETURN NULL;
    ELSIF kind = 'text' THEN
        RETURN sent;
    ELSIF kind IN ('bigint', 'numeric') THEN
        IF json_type = 'boolean'
            OR sent !~ '^[+-]?\d+(\.\d+)?([eE][+-]?\d{1,3})?$' THEN
            RETURN NULL;
        END IF;
        number := sent::numeric;
        IF kind = 'bigint' THEN
            RETURN CASE WHEN number = trunc(number) THEN number::bigint::text END;
        END IF;
        RETURN CASE WHEN abs(number) < 1e28 AND scale(number) <= 10 THEN number::text END;
    ELSIF kind = 'boolean' THEN
        RETURN CASE
            WHEN json_type = 'boolean' THEN sent
            WHEN json_type = 'number' AND sent IN ('0', '1') THEN sent
        END;
    ELSIF json_type <> 'string' THEN
        RETURN NULL;
    ELSIF kind = 'date' THEN
        RETURN CASE
            WHEN sent ~ '^\d{4}-\d\d-\d\d([Tt ]00:00(:00)?[Zz]?)?$' THEN left(sent, 10)::date::text
        END;
    ELSIF sent !~ time_text THEN
        RETURN NULL;
    ELSIF kind = 'timestamp with time zone' THEN
        RETURN replace(sent, ',', '.')::timestamptz::text;
    ELSE
        RETURN replace(sent, ',', '.')::timestamp::text;
    END IF;
EXCEPTION
    WHEN data_exception THEN
        RETURN NULL;
END
$$;
COMMENT ON FUNCTION column_text IS
    'A JSON value as text that a column of the type takes, if it converts without loss as the '
    'contracts have it; else null';

CREATE FUNCTION take_field(
    INOUT kept jsonb, INOUT taken jsonb, path text[], field_column text, kind text
) LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    value jsonb := kept #> path;
BEGIN
    IF value = 'null' OR column_text(value, kind) IS NOT NULL THEN
        taken := taken || jsonb_build_object(field_column, column_text(value, kind));
        kept := kept #- path;
        IF kept #> path[:cardinality(path) - 1] = '{}' THEN
            kept := kept - path[1];
        END IF;
    END IF;
END
$$;
COMMENT ON FUNCTION take_field IS
    'Moves the value at a path of kept to the columns of taken, if it converts';

CREATE FUNCTION promoted_row(fields jsonb, line_type text, INOUT kept jsonb, OUT taken jsonb)
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    field record;
BEGIN
    taken := '{}';
    FOR field IN
        SELECT * FROM jsonb_to_recordset(fields)
        AS f (path text[], of_line_type text, field_column text, kind text)
    LOOP
        CONTINUE WHEN field.of_line_type <> coalesce(line_type, '');
        SELECT * INTO kept, taken
        FROM take_field(kept, taken, field.path, field.field_column, field.kind);
    END LOOP;
    kept := nullif(kept, '{}');
END
$$;
COMMENT ON FUNCTION promoted_row IS 'What of a row''s extra moves to its columns, and what stays';

CREATE FUNCTION promoted_patches(fields jsonb, patches jsonb) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    field record;
    key text;
    part record;
BEGIN
    FOR field IN
        SELECT * FROM jsonb_to_recordset(fields)
        AS f (path text[], of_line_type text, field_column text, kind text)
    LOOP
        key := '+' || field.path[1];
        CONTINUE WHEN NOT patches ? key
            OR field.of_line_type <> coalesce(patches #>> '{line_type,v}', '');
        SELECT * INTO part FROM take_field(
            patches -> key, '{}', ARRAY['v'] || field.path[2:], field.field_column, field.kind
        );
        CONTINUE WHEN part.taken = '{}';
        patches := merge_patches(
            patches - key || CASE WHEN part.kept ? 'v' THEN jsonb_build_object(key, part.kept) ELSE '{}' END,
            jsonb_build_object(
                field.field_column,
                (patches -> key) || jsonb_build_object('v', part.taken -> field.field_column)
            )
        );
    END LOOP;
    RETURN patches;
END
$$;
COMMENT ON FUNCTION promoted_patches IS
    'What partial documents said of fields in extra, said of their columns';

CREATE FUNCTION promote_fields(data_table text, column_of_field jsonb) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    fields jsonb;
    columns text;
BEGIN
    SELECT
        jsonb_agg(jsonb_build_object(
            'path', string_to_array(f.key, '.'),
            'of_line_type', CASE WHEN f.key LIKE '%.%' THEN lower(
                regexp_replace(split_part(f.key, '.', 1), '([A-Z])', '_\1', 'g')
            ) END,
            'field_column', f.value,
            'kind', format_type(a.atttypid, NULL)
        )),
        string_agg(DISTINCT format('%I', f.value), ', ')
    INTO STRICT fields, columns
    FROM jsonb_each_text(column_of_field) AS f
    JOIN pg_attribute AS a ON a.attrelid = data_table::regclass AND a.attname = f.value;

    EXECUTE format(
        $update$
            UPDATE %1$I AS t
            SET (%2$s, extra) = (SELECT %2$s, p.kept FROM jsonb_populate_record(t, p.taken))
            FROM %1$I AS s
            CROSS JOIN LATERAL promoted_row($1, to_jsonb(s) ->> 'line_type', s.extra) AS p
            WHERE t.ctid = s.ctid AND s.extra IS NOT NULL AND p.taken <> '{}'
        $update$,
        data_table, columns
    ) USING fields;
    UPDATE check_patches AS p
    SET patches = promoted_patches(fields, p.patches)
    WHERE p.table_name = data_table AND p.patches <> promoted_patches(fields, p.patches);
END
$$;
COMMENT ON FUNCTION promote_fields IS
    'Moves the values of fields from extra, and from what partial documents said, to their columns '
    '(by path: {"loyaltyNum": "loyalty_num"}); what does not convert stays. Safe to repeat';

COMMENT ON COLUMN detail_lines.menu_item_id IS 'The item; menu_items knows it by this number';

ALTER TABLE fiscal_invoices
ADD COLUMN invoice_number text,
ADD COLUMN series text,
ADD COLUMN access_key text,
ADD COLUMN guest_check_id bigint,
ADD COLUMN trans_utc timestamptz,
ADD COLUMN trans_lcl timestamp,
ADD COLUMN ws_num bigint,
ADD COLUMN contingency boolean;

CREATE INDEX fiscal_invoices_guest_check_id ON fiscal_invoices (guest_check_id);
COMMENT ON COLUMN fiscal_invoices.access_key IS 'NFC-e access key of 44 digits';
COMMENT ON COLUMN fiscal_invoices.guest_check_id IS 'The check that was invoiced';
COMMENT ON COLUMN fiscal_invoices.contingency IS 'Issued offline, while the tax authority did not answer';

ALTER TABLE charge_backs
ADD COLUMN guest_check_id bigint,
ADD COLUMN tmed_num bigint,
ADD COLUMN trans_utc timestamptz;

CREATE INDEX charge_backs_guest_check_id ON charge_backs (guest_check_id);
COMMENT ON COLUMN charge_backs.guest_check_id IS 'The check that was paid';

ALTER TABLE transactions
ADD COLUMN guest_check_id bigint,
ADD COLUMN trans_utc timestamptz,
ADD COLUMN trans_lcl timestamp,
ADD COLUMN tmed_num bigint,
ADD COLUMN ws_num bigint,
ADD COLUMN emp_num bigint,
ADD COLUMN description text;

CREATE INDEX transactions_guest_check_id ON transactions (guest_check_id);
COMMENT ON COLUMN transactions.guest_check_id IS 'Null: money that belongs to no check';

ALTER TABLE cash_management_details
ADD COLUMN over_short_amt numeric,
ADD COLUMN ws_num bigint,
ADD COLUMN emp_num bigint,
ADD COLUMN open_utc timestamptz,
ADD COLUMN close_utc timestamptz,
ADD COLUMN description text;

COMMENT ON COLUMN cash_management_details.over_short_amt IS 'Counted less expected: negative when money is missing';

CREATE TEMP TABLE promoted ON COMMIT DROP AS
SELECT
    data_table,
    source,
    list || '.' || field AS path,
    field,
    lower(regexp_replace(field, '([a-z0-9])([A-Z])', '\1_\2', 'g')) AS field_column
FROM (
    VALUES
    (
        'fiscal_invoices', 'getFiscalInvoice', 'fiscalInvoices',
        '{invoiceNumber, series, accessKey, guestCheckId, transUTC, transLcl, wsNum, contingency}'
    ),
    ('charge_backs', 'getChargeBack', 'chargeBacks', '{guestCheckId, tmedNum, transUTC}'),
    (
        'transactions', 'getTransactions', 'transactions',
        '{guestCheckId, transUTC, transLcl, tmedNum, wsNum, empNum, description}'
    ),
    (
        'cash_management_details', 'getCashManagementDetails', 'cashManagement',
        '{overShortAmt, wsNum, empNum, openUTC, closeUTC, description}'
    )
) AS l (data_table, source, list, fields)
CROSS JOIN unnest(fields::text[]) AS field;

SELECT promote_fields(data_table, jsonb_object_agg(field, field_column))
FROM promoted
GROUP BY data_table;

DO $$
BEGIN
    -- In a database of release 0.1.0, where drift is a table.
    IF to_regclass('store_day_snapshots') IS NOT NULL THEN
        DELETE FROM schema_drift AS d
        USING promoted AS p
        WHERE d.kind = 'unknown' AND d.source = p.source AND d.path = p.path;
    END IF;
END
$$;
