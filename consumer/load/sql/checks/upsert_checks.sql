-- Writes each winner over an older version of its check; locks the row even when it writes nothing.
WITH written AS (
    INSERT INTO guest_checks AS t (
        {columns}, as_of, latest_credible, object_id, digest_object_id
    )
    SELECT {staged}, w.sent_as_of, w.latest_credible, w.object_id, w.object_id
    FROM stage_winners AS w
    JOIN stage_guest_checks AS s USING (doc_no, pos)
    ORDER BY w.store_id, w.guest_check_id
    ON CONFLICT (store_id, guest_check_id) DO UPDATE SET
        {assignments},
        as_of = excluded.as_of,
        latest_credible = excluded.latest_credible,
        object_id = excluded.object_id,
        digest_object_id = excluded.object_id
    WHERE
        NOT t.patched
        AND (
            t.last_updated_utc IS NULL
            OR (
                least(excluded.last_updated_utc, excluded.latest_credible),
                least(excluded.as_of, excluded.latest_credible)
            ) > (
                least(t.last_updated_utc, t.latest_credible), least(t.as_of, t.latest_credible)
            )
            OR (
                (
                    least(excluded.last_updated_utc, excluded.latest_credible),
                    least(excluded.as_of, excluded.latest_credible)
                ) = (
                    least(t.last_updated_utc, t.latest_credible), least(t.as_of, t.latest_credible)
                )
                AND is_no_older_event(excluded.object_id, t.object_id)
            )
        )
        AND ({stored}, t.as_of, t.latest_credible, t.object_id, t.digest_object_id)
        IS DISTINCT FROM (
            {excluded}, excluded.as_of, excluded.latest_credible, excluded.object_id,
            excluded.object_id
        )
    RETURNING t.store_id, t.guest_check_id, t.xmax = 0 AS fresh
)
UPDATE stage_winners AS w
SET fresh = true
FROM written AS r
WHERE r.fresh AND w.store_id = r.store_id AND w.guest_check_id = r.guest_check_id
