-- The checks that documents did not read because they stand: locks them in key order, with all that
-- the batch is about, and dates them by the rule of upsert_checks. Returns the documents of which a
-- check has another content by now, or partial documents; then nothing may be committed.
WITH named AS (
    SELECT store_id, guest_check_id FROM stage_unchanged
    UNION
    SELECT store_id, guest_check_id FROM stage_guest_checks
    UNION
    SELECT store_id, guest_check_id FROM stage_patches
),
locked AS MATERIALIZED (
    SELECT
        t.store_id, t.guest_check_id, t.content_digest, t.digest_object_id, t.patched,
        t.last_updated_utc, t.as_of, t.latest_credible, t.object_id
    FROM named
    JOIN guest_checks AS t USING (store_id, guest_check_id)
    ORDER BY t.store_id, t.guest_check_id
    FOR NO KEY UPDATE OF t
),
unread AS MATERIALIZED (
    SELECT
        d.doc_no, u.store_id, u.guest_check_id,
        d.as_of, d.sent_as_of, d.event_order, d.object_id,
        least(t.last_updated_utc, d.latest_credible) AS version,
        CASE
            WHEN greatest(t.last_updated_utc, d.sent_as_of) > d.latest_credible
                THEN d.latest_credible
        END AS latest_credible,
        least(t.last_updated_utc, t.latest_credible) AS stored_version,
        least(t.as_of, t.latest_credible) AS stored_as_of,
        t.object_id AS stored_object_id,
        t.content_digest = u.content_digest AND t.digest_object_id = t.object_id AND NOT t.patched
            AS stands
    FROM stage_unchanged AS u
    JOIN stage_documents AS d USING (doc_no)
    LEFT JOIN locked AS t ON (t.store_id, t.guest_check_id) = (u.store_id, u.guest_check_id)
),
newer AS MATERIALIZED (
    SELECT DISTINCT ON (store_id, guest_check_id) *
    FROM unread
    WHERE
        (version, as_of) > (stored_version, stored_as_of)
        OR (
            (version, as_of) = (stored_version, stored_as_of)
            AND is_no_older_event(object_id, stored_object_id)
        )
    ORDER BY store_id, guest_check_id, version DESC, as_of DESC, event_order DESC
),
dated AS (
    UPDATE guest_checks AS t
    SET
        as_of = n.sent_as_of,
        latest_credible = n.latest_credible,
        object_id = n.object_id,
        digest_object_id = n.object_id
    FROM newer AS n
    WHERE
        (t.store_id, t.guest_check_id) = (n.store_id, n.guest_check_id)
        AND (t.as_of, t.latest_credible, t.object_id)
        IS DISTINCT FROM (n.sent_as_of, n.latest_credible, n.object_id)
)
SELECT DISTINCT doc_no FROM unread WHERE stands IS NOT TRUE
