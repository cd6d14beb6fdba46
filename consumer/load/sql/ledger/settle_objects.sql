-- The end state of every object of the batch. What was loaded once stays loaded when an old
-- event comes again. The states are worked out in a step of their own: put in wherever they are
-- named, the planner would plan them five times, and planning is most of this statement's time.
WITH touched AS (
    SELECT doc_no FROM stage_winners WHERE applied
    UNION
    SELECT u.doc_no
    FROM stage_unchanged AS u
    JOIN stage_documents AS d USING (doc_no)
    JOIN guest_checks AS c
        ON (c.store_id, c.guest_check_id) = (u.store_id, u.guest_check_id)
    WHERE c.object_id = d.object_id
    UNION
    SELECT doc_no FROM stage_days WHERE standing
    UNION
    SELECT p.doc_no
    FROM stage_patches AS p
    JOIN stage_documents AS d USING (doc_no)
    JOIN guest_checks AS c
        ON (c.store_id, c.guest_check_id) = (p.store_id, p.guest_check_id)
    WHERE c.last_updated_utc IS NULL OR d.as_of >= least(c.as_of, c.latest_credible)
),
settled AS MATERIALIZED (
    SELECT
        d.doc_no, d.object_id, d.error_message, d.error_log_key, d.read_as,
        clock_timestamp() AS moment,
        CASE
            WHEN d.quarantined > 0 THEN 'dead_lettered'
            WHEN EXISTS (
                SELECT FROM ingested_objects AS later
                WHERE
                    (later.bucket, later.object_key) = (d.bucket, d.object_key)
                    AND later.object_id <> d.object_id
                    AND later.state IN ('loaded', 'dead_lettered')
                    AND rtrim(upper(later.sequencer), '0') COLLATE "C"
                    > rtrim(upper(d.sequencer), '0') COLLATE "C"
            ) THEN 'superseded'
            WHEN
                (d.records > 0 OR d.source = ANY (%(list_sources)s))
                AND NOT EXISTS (SELECT FROM touched AS t WHERE t.doc_no = d.doc_no)
                THEN 'superseded'
            ELSE 'loaded'
        END AS new_state
    FROM stage_documents AS d
)
UPDATE ingested_objects AS t
SET
    state = CASE
        WHEN s.new_state = 'superseded' AND t.state = 'loaded' AND t.committed_at < now()
            THEN 'loaded'
        ELSE s.new_state
    END,
    error_code = CASE WHEN s.new_state = 'dead_lettered' THEN 'records_invalid' END,
    error_message = CASE WHEN s.new_state = 'dead_lettered' THEN s.error_message END,
    error_log_key = CASE WHEN s.new_state = 'dead_lettered' THEN s.error_log_key END,
    committed_at = s.moment,
    read_as = s.read_as,
    read_at = s.moment
FROM settled AS s
WHERE t.object_id = s.object_id
RETURNING s.doc_no, t.state
