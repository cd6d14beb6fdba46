-- A line belongs to its check: two checks that name one line id have a row each.

ALTER TABLE detail_lines
DROP CONSTRAINT detail_lines_pkey,
ADD PRIMARY KEY (store_id, guest_check_id, guest_check_line_item_id);

-- Release 0.1.0 has the table, a new database does not.
DO $$
BEGIN
    IF to_regclass('line_claims') IS NOT NULL THEN
        INSERT INTO detail_lines
        SELECT (l.row).*
        FROM (
            SELECT jsonb_populate_record(NULL::detail_lines, line) AS row
            FROM line_claims
            OFFSET 0
        ) AS l
        -- Whoever held a line had no claim to it.
        ON CONFLICT (store_id, guest_check_id, guest_check_line_item_id) DO NOTHING;

        DROP TABLE line_claims;
        DROP FUNCTION contest_line;
        DROP INDEX detail_lines_check;
    END IF;
END
$$;

CREATE INDEX detail_lines_guest_check_id ON detail_lines (guest_check_id);

-- A reload gives every header a new as_of and object_id. With room on its page the new row needs
-- no new index entries. Pages that are full already gain room as they are vacuumed.
ALTER TABLE guest_checks SET (fillfactor = 72);

COMMENT ON TABLE check_patches IS
    'What partial documents set in checks, taxes and lines, kept so that the result does not '
    'depend on the order of arrival';
COMMENT ON COLUMN guest_checks.patched IS
    'Whether partial documents are about the check: check_patches has what they set';
COMMENT ON COLUMN detail_lines.removed_at IS
    'As-of of the first full document that no longer had the row; null while it stands';
