-- What was loaded is known by the digest of its bytes, so that it is not read again unchanged.

ALTER TABLE guest_checks ADD COLUMN content_digest bytea;
COMMENT ON COLUMN guest_checks.content_digest IS
    'Of the bytes of the full document''s record that the row comes from, and of how they were '
    'read; null where that cannot be told';

CREATE FUNCTION add_counts(known jsonb, more jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT coalesce(jsonb_object_agg(key, count), '{}')
    FROM (
        SELECT key, sum(value::bigint) AS count
        FROM (
            SELECT key, value FROM jsonb_each_text(coalesce(known, '{}'))
            UNION ALL
            SELECT key, value FROM jsonb_each_text(coalesce(more, '{}'))
        ) AS either
        GROUP BY key
    ) AS sums
$$;
COMMENT ON FUNCTION add_counts IS 'Counts of records or fields by path, and further ones';
COMMENT ON COLUMN store_days.record_counts IS
    'Objects of that answer by level, without open and partial checks. Checks that stood unchanged '
    'were not read: those of an answer that held some were added to those counted before';
