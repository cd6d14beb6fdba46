-- What became of every object, on the dead-letter queue too; who is expected, who works, and who did
-- what: what the console shows. Ends from before are those that the ledger still has, and what was
-- dead-lettered is not known to be on the queue until somebody looks. An older release that goes on
-- writes no events and no dead letters: the ledger then has the last end, as before.
-- Works with releases from schema 0010 on.

CREATE TABLE causes (
    cause text PRIMARY KEY,
    source text NOT NULL,
    error_code text NOT NULL,
    location text NOT NULL,
    problem text NOT NULL,
    first_seen timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE causes IS
'why objects failed: the same source, code, place and problem have one cause, whatever the day';
COMMENT ON COLUMN causes.error_code IS 'error code: docs/reference/error-codes.md';
COMMENT ON COLUMN causes.first_seen IS 'when it was first written down';
COMMENT ON COLUMN causes.cause IS
'the first twelve hexadecimal digits of the SHA-256 of the four columns that follow, in lines';
COMMENT ON COLUMN causes.source IS 'unknown where neither key nor message names one';
COMMENT ON COLUMN causes.location IS
'dotted path in the document, without indexes; empty where the whole document or message failed';
COMMENT ON COLUMN causes.problem IS
'what is wrong there, without values; empty where the code says all, and of failures from before';

ALTER TABLE ingested_objects ADD COLUMN cause text;
COMMENT ON COLUMN ingested_objects.cause IS 'why it failed: see causes; null where it did not';

CREATE TABLE object_events (
    event_id bigint GENERATED ALWAYS AS IDENTITY,
    object_id bigint NOT NULL,
    state text NOT NULL,
    error_code text,
    cause text,
    error_log_key text,
    records integer NOT NULL,
    quarantined integer NOT NULL,
    attempts integer NOT NULL,
    ended_at timestamptz NOT NULL,
    PRIMARY KEY (object_id, event_id)
);
COMMENT ON TABLE object_events IS
'every end that an object version ever had, the last one as in the ledger; never updated. One that '
'comes again and ends as it did, with the same error log, adds none';
COMMENT ON COLUMN object_events.event_id IS 'in the order of the ends of one object';
COMMENT ON COLUMN object_events.state IS 'loaded, superseded, ignored or dead_lettered';
COMMENT ON COLUMN object_events.error_code IS 'error code of a failure';
COMMENT ON COLUMN object_events.error_log_key IS 'key of its error log in the lake';
COMMENT ON COLUMN object_events.records IS
'valid records in the document, as the ledger row had them';
COMMENT ON COLUMN object_events.quarantined IS 'records that were set aside';
COMMENT ON COLUMN object_events.attempts IS 'times the message was received, as SQS counts';
COMMENT ON COLUMN object_events.object_id IS 'its ledger row';
COMMENT ON COLUMN object_events.cause IS 'why it failed: see causes';
COMMENT ON COLUMN object_events.ended_at IS 'committed_at of the ledger row at that end';

CREATE TABLE dead_letters (
    dead_letter_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    message_id text UNIQUE,
    original_id text NOT NULL,
    object_id bigint,
    object_key text,
    source text,
    store_id text,
    bus_dt date,
    error_code text NOT NULL,
    cause text NOT NULL,
    error_message text NOT NULL,
    error_log_key text NOT NULL,
    attempts integer NOT NULL,
    redriven boolean NOT NULL DEFAULT false,
    failed_at timestamptz,
    sent_at timestamptz,
    state text NOT NULL CHECK (state IN ('unconfirmed', 'waiting', 'replayed', 'purged', 'gone')),
    left_at timestamptz,
    end_state text,
    ended_at timestamptz
);
CREATE UNIQUE INDEX dead_letters_unconfirmed ON dead_letters (error_log_key)
WHERE message_id IS NULL;
CREATE INDEX dead_letters_open_objects ON dead_letters (object_id) WHERE end_state IS NULL;
CREATE INDEX dead_letters_present ON dead_letters (failed_at)
WHERE state IN ('unconfirmed', 'waiting');
CREATE INDEX dead_letters_cause ON dead_letters (cause, failed_at);
CREATE INDEX dead_letters_business_day ON dead_letters (store_id, bus_dt);
COMMENT ON TABLE dead_letters IS 'what is or was on the dead-letter queue, and how it ended';
COMMENT ON COLUMN dead_letters.dead_letter_id IS 'number of the row';
COMMENT ON COLUMN dead_letters.object_key IS
'key that the message announces; null where it announces none';
COMMENT ON COLUMN dead_letters.source IS 'of its ledger row, or as the key says';
COMMENT ON COLUMN dead_letters.store_id IS 'of its ledger row, or as the key says';
COMMENT ON COLUMN dead_letters.bus_dt IS 'of its ledger row, or as the key says';
COMMENT ON COLUMN dead_letters.error_code IS 'error code: docs/reference/error-codes.md';
COMMENT ON COLUMN dead_letters.error_message IS 'why it failed, with place and remedy';
COMMENT ON COLUMN dead_letters.error_log_key IS
'key of its error log in the lake; the same at every receipt of one message';
COMMENT ON COLUMN dead_letters.message_id IS
'id on the dead-letter queue; null until it is known to have been sent';
COMMENT ON COLUMN dead_letters.original_id IS 'id of the message as it first came';
COMMENT ON COLUMN dead_letters.object_id IS 'ledger row; null of a message that announces no object';
COMMENT ON COLUMN dead_letters.cause IS 'why it failed: see causes';
COMMENT ON COLUMN dead_letters.attempts IS 'times the message was received, as SQS counts';
COMMENT ON COLUMN dead_letters.redriven IS
'whether the queue''s redrive policy moves it, and not the consumer: after a bug, or each consumer '
'that held it was killed';
COMMENT ON COLUMN dead_letters.failed_at IS 'null of a message that nobody saw fail';
COMMENT ON COLUMN dead_letters.sent_at IS 'when it was sent to the queue, by whoever put it there';
COMMENT ON COLUMN dead_letters.state IS
'unconfirmed: about to be sent, or moved by SQS, or from before there was this table; waiting: on the '
'queue; replayed, purged: an operator took it off; gone: it was not there any more when one looked';
COMMENT ON COLUMN dead_letters.left_at IS 'when it was replayed or purged, or found to be gone';
COMMENT ON COLUMN dead_letters.end_state IS
'what its object ended as since: of a replayed one its next end, else once it is loaded, superseded '
'or ignored all the same';
COMMENT ON COLUMN dead_letters.ended_at IS 'when its object ended so';

ALTER TABLE store_days
ADD COLUMN records integer,
ADD COLUMN quarantined integer;
COMMENT ON COLUMN store_days.records IS
'valid records of the newest answer, of an export the checks that opened on this day; null of days '
'that were last loaded by a release which did not count them';
COMMENT ON COLUMN store_days.quarantined IS
'records of the newest answer that were set aside; of an export of several days all of them, as a '
'bad record has no certain day';

CREATE TABLE expected_stores (
    store_id text NOT NULL,
    source text NOT NULL,
    valid_from date NOT NULL,
    valid_to date,
    announced_at timestamptz NOT NULL,
    PRIMARY KEY (store_id, source, valid_from)
);
COMMENT ON TABLE expected_stores IS
'which stores answer which endpoints on which business days, as EXPECTED_STORES of a consumer said '
'when it started: of a day without an answer it says whether one is missing';
COMMENT ON COLUMN expected_stores.store_id IS 'the store as the setting spells it';
COMMENT ON COLUMN expected_stores.source IS 'endpoint that is asked';
COMMENT ON COLUMN expected_stores.valid_from IS 'first business day that is expected';
COMMENT ON COLUMN expected_stores.valid_to IS
'last business day that is expected; null while the store belongs to the roster';
COMMENT ON COLUMN expected_stores.announced_at IS 'of the newest roster that said so';

CREATE TABLE consumer_heartbeats (
    consumer_id text PRIMARY KEY,
    host text NOT NULL,
    process_id integer NOT NULL,
    version text NOT NULL,
    started_at timestamptz NOT NULL,
    beat_at timestamptz NOT NULL,
    beat_seconds double precision NOT NULL,
    stopped_at timestamptz,
    in_flight integer NOT NULL,
    breaker text
) WITH (fillfactor = 50);
COMMENT ON TABLE consumer_heartbeats IS
'consumer processes of the last day; one that is silent for three beats and did not stop is dead';
COMMENT ON COLUMN consumer_heartbeats.consumer_id IS 'host, process id and start';
COMMENT ON COLUMN consumer_heartbeats.host IS 'name of its machine or container';
COMMENT ON COLUMN consumer_heartbeats.process_id IS 'process id there';
COMMENT ON COLUMN consumer_heartbeats.version IS 'its release';
COMMENT ON COLUMN consumer_heartbeats.started_at IS 'when it began to consume';
COMMENT ON COLUMN consumer_heartbeats.beat_at IS 'when it last told, by the clock of the database';
COMMENT ON COLUMN consumer_heartbeats.beat_seconds IS 'how often it tells';
COMMENT ON COLUMN consumer_heartbeats.stopped_at IS 'when it stopped in order; null while it works';
COMMENT ON COLUMN consumer_heartbeats.in_flight IS 'messages it held';
COMMENT ON COLUMN consumer_heartbeats.breaker IS 'why it suspends work; null while it does not';

CREATE TABLE operator_actions (
    action_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind text NOT NULL,
    actor text NOT NULL,
    program text NOT NULL,
    filter jsonb NOT NULL DEFAULT '{}',
    reason text,
    plan text,
    state text NOT NULL DEFAULT 'running'
    CHECK (state IN ('running', 'done', 'failed', 'interrupted')),
    error_message text,
    began_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    ended_at timestamptz
);
CREATE INDEX operator_actions_began_at ON operator_actions (began_at);
COMMENT ON TABLE operator_actions IS
'what people did to dead letters, or looked at: written before it is done';
COMMENT ON COLUMN operator_actions.action_id IS 'number of the action';
COMMENT ON COLUMN operator_actions.reason IS 'why, in the words of whoever did it';
COMMENT ON COLUMN operator_actions.state IS
'running also after it was killed: what was done until then, its items tell';
COMMENT ON COLUMN operator_actions.error_message IS 'why it failed';
COMMENT ON COLUMN operator_actions.began_at IS
'when it was written down, before anything was touched';
COMMENT ON COLUMN operator_actions.kind IS 'replay, purge, or view of a document';
COMMENT ON COLUMN operator_actions.actor IS
'who: the identity that the console verified, or user@host of a command';
COMMENT ON COLUMN operator_actions.program IS 'where: consumer dlq, or console';
COMMENT ON COLUMN operator_actions.filter IS 'what was chosen, as it was chosen';
COMMENT ON COLUMN operator_actions.plan IS 'digest of the plan that was confirmed; null of commands';
COMMENT ON COLUMN operator_actions.ended_at IS
'when all its messages were acted on; null while it runs, or when it was killed';

CREATE TABLE operator_action_items (
    action_id bigint NOT NULL,
    message_id text NOT NULL,
    object_key text,
    state text NOT NULL DEFAULT 'planned'
    CHECK (state IN ('planned', 'replayed', 'purged', 'viewed', 'missing', 'failed')),
    error_message text,
    acted_at timestamptz,
    PRIMARY KEY (action_id, message_id)
);
CREATE INDEX operator_action_items_message ON operator_action_items (message_id);
COMMENT ON TABLE operator_action_items IS
'the messages of an action, one by one: written before the first of them is touched. What became of a '
'replayed one, its dead letter tells';
COMMENT ON COLUMN operator_action_items.action_id IS 'the action';
COMMENT ON COLUMN operator_action_items.object_key IS
'key that the message announces; null where it announces none';
COMMENT ON COLUMN operator_action_items.error_message IS 'why it failed';
COMMENT ON COLUMN operator_action_items.acted_at IS 'when it was acted on';
COMMENT ON COLUMN operator_action_items.message_id IS
'on the dead-letter queue; of a document that was viewed, its key';
COMMENT ON COLUMN operator_action_items.state IS
'planned: not yet acted on; missing: it was not on the queue any more; failed: see error_message';

-- One index for counts by end, and one that finds the last failure among any number of good ends.
DROP INDEX ingested_objects_state;
CREATE INDEX ingested_objects_ends ON ingested_objects (state, source, error_code);
CREATE INDEX ingested_objects_failures ON ingested_objects (committed_at)
WHERE error_code IS NOT NULL;

-- What can be known of the time before.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM ingested_objects) THEN
        RETURN;
    END IF;

    UPDATE ingested_objects
    SET cause = left(encode(sha256(convert_to(
        concat_ws(E'\n', coalesce(source, 'unknown'), error_code, '', ''), 'UTF8'
    )), 'hex'), 12)
    WHERE error_code IS NOT NULL;

    INSERT INTO causes (cause, source, error_code, location, problem, first_seen)
    SELECT cause, coalesce(source, 'unknown'), error_code, '', '', min(committed_at)
    FROM ingested_objects
    WHERE error_code IS NOT NULL
    GROUP BY cause, coalesce(source, 'unknown'), error_code;

    INSERT INTO object_events (
        object_id, state, error_code, cause, error_log_key, records, quarantined, attempts, ended_at
    )
    SELECT
        object_id, state, error_code, cause, error_log_key, records, quarantined, attempts,
        committed_at
    FROM ingested_objects
    ORDER BY object_id;

    -- A log is named by the id of its message.
    INSERT INTO dead_letters (
        original_id, object_id, object_key, source, store_id, bus_dt, error_code, cause,
        error_message, error_log_key, attempts, redriven, failed_at, state
    )
    SELECT DISTINCT ON (error_log_key)
        regexp_replace(error_log_key, '^.*/|-[0-9a-z]*\.json$', '', 'g'),
        object_id, object_key, source, store_id, bus_dt, error_code, cause,
        coalesce(error_message, ''), error_log_key, attempts, error_code = 'internal', committed_at,
        'unconfirmed'
    FROM ingested_objects
    WHERE state = 'dead_lettered' AND error_code IS NOT NULL AND error_log_key IS NOT NULL
    ORDER BY error_log_key, committed_at DESC;

    UPDATE store_days AS d
    SET records = o.records, quarantined = o.quarantined
    FROM ingested_objects AS o
    WHERE o.object_id = d.object_id AND d.source <> 'erp';
END
$$;
