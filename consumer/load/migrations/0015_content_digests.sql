-- What was loaded is known by the digest of its bytes, so that it is not read again unchanged. What
-- an older release writes has another object than its digest, which then says nothing.
-- Works with releases from schema 0010 on.

ALTER TABLE guest_checks
ADD COLUMN content_digest bytea,
ADD COLUMN digest_object_id bigint;
COMMENT ON COLUMN guest_checks.content_digest IS
'digest of the bytes of the record that the row comes from, and of how they were read; null where '
'that cannot be told';
COMMENT ON COLUMN guest_checks.digest_object_id IS
'object_id as the digest was written; where it differs, the digest says nothing';

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
COMMENT ON FUNCTION add_counts IS 'counts of records or fields by path, and further ones';
COMMENT ON COLUMN store_days.record_counts IS
'objects of that answer by level, without open and partial checks; an answer that held unchanged '
'checks, which are not read, adds the others to what was counted before';
