-- The end state of every object of the batch. What was loaded once stays loaded when an old
-- event comes again. An end that differs from the object's last one, in state, code or error log, is
-- an event as well. The states are worked out in a step of their own: put in wherever they are
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
ends AS MATERIALIZED (
    SELECT
        d.doc_no, d.object_id, d.error_message, d.error_log_key, d.cause, d.read_as, d.records,
        d.quarantined, d.attempts, d.is_known,
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
),
settled AS MATERIALIZED (
    SELECT
        e.*,
        e.new_state = 'dead_lettered' AS has_failed,
        t.state AS old_state, t.error_code AS old_code, t.error_log_key AS old_log_key,
        CASE
            WHEN e.new_state = 'superseded' AND e.is_known AND t.state = 'loaded' THEN 'loaded'
            ELSE e.new_state
        END AS state
    FROM ends AS e
    JOIN ingested_objects AS t USING (object_id)
),
events AS (
    INSERT INTO object_events (
        object_id, state, error_code, cause, error_log_key, records, quarantined, attempts, ended_at
    )
    SELECT
        object_id, state, CASE WHEN has_failed THEN 'records_invalid' END,
        CASE WHEN has_failed THEN cause END, CASE WHEN has_failed THEN error_log_key END,
        records, quarantined, attempts, moment
    FROM settled
    WHERE
        NOT is_known
        OR old_state <> state
        OR (has_failed AND (old_code, old_log_key) IS DISTINCT FROM ('records_invalid', error_log_key))
)
UPDATE ingested_objects AS t
SET
    state = s.state,
    error_code = CASE WHEN s.has_failed THEN 'records_invalid' END,
    error_message = CASE WHEN s.has_failed THEN s.error_message END,
    error_log_key = CASE WHEN s.has_failed THEN s.error_log_key END,
    cause = CASE WHEN s.has_failed THEN s.cause END,
    committed_at = s.moment,
    read_as = s.read_as,
    read_at = s.moment
FROM settled AS s
WHERE t.object_id = s.object_id
RETURNING s.doc_no, t.state
