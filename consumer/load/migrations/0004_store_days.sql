-- What each store-day stands at, in one table; drift counted once per object, with its ledger row.

CREATE TABLE store_days (
    source text NOT NULL,
    store_id text NOT NULL,
    bus_dt date NOT NULL,
    object_id bigint NOT NULL,
    as_of timestamptz NOT NULL,
    event_order text COLLATE "C" NOT NULL,
    state text NOT NULL CHECK (state IN ('loaded', 'dead_lettered')),
    whole_as_of timestamptz NOT NULL DEFAULT '-infinity',
    whole_event_order text COLLATE "C" NOT NULL DEFAULT '',
    gaps jsonb,
    digest bytea,
    counted_object_id bigint,
    counted_as_of timestamptz NOT NULL DEFAULT '-infinity',
    counted_event_order text COLLATE "C" NOT NULL DEFAULT '',
    record_counts jsonb,
    field_counts jsonb,
    first_loaded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    last_loaded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (source, store_id, bus_dt)
);
COMMENT ON TABLE store_days IS
    'What each store-day stands at: an empty day has a row here and none in its list. Exports of '
    'checks count for the days on which their checks opened';
COMMENT ON COLUMN store_days.object_id IS 'Ledger row of the newest answer';
COMMENT ON COLUMN store_days.state IS
    'Of the newest answer: loaded, or dead_lettered when records of it are quarantined';
COMMENT ON COLUMN store_days.whole_as_of IS
    'As-of of the newest answer without a quarantined row; what is older has no say';
COMMENT ON COLUMN store_days.gaps IS
    'Answers with quarantined rows, newer than the newest whole one: of what they do not tell, '
    'the answer before them does, whichever arrives first. tells: whether record_ids are the rows '
    'that the answer tells of (a bad row has no readable id), or those that it does not';
COMMENT ON COLUMN store_days.digest IS 'Of the newest whole answer; null while nothing needs it';
COMMENT ON COLUMN store_days.counted_object_id IS
    'Ledger row of the newest answer whose fields are counted; an export counts on one of its days';
COMMENT ON COLUMN store_days.record_counts IS
    'Objects of that answer by level, without open and partial checks';
COMMENT ON COLUMN store_days.field_counts IS
    'How many of those objects filled a field, by path; what none filled is left out';
COMMENT ON COLUMN store_days.last_loaded_at IS 'When what is known of the day last changed';

CREATE FUNCTION is_told(gap jsonb, record_id text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT ((gap -> 'record_ids') ? record_id) = (gap ->> 'tells')::boolean
$$;
COMMENT ON FUNCTION is_told IS 'Whether an answer with a gap tells of a row';

CREATE FUNCTION is_told_later(
    gaps jsonb, record_id text, as_of timestamptz, event_order text
) RETURNS boolean
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT EXISTS (
        SELECT FROM jsonb_array_elements(gaps) AS gap
        WHERE
            ((gap ->> 'as_of')::timestamptz, (gap ->> 'event_order') COLLATE "C")
            > (as_of, event_order)
            AND is_told(gap, record_id)
    )
$$;
COMMENT ON FUNCTION is_told_later IS 'Whether an answer newer than another tells of a row';

CREATE FUNCTION merge_gaps(
    stored jsonb, fresh jsonb, whole_as_of timestamptz, whole_event_order text
) RETURNS jsonb
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    WITH gaps AS (
        SELECT DISTINCT ON (gap -> 'object_id')
            gap,
            (gap ->> 'as_of')::timestamptz AS as_of,
            (gap ->> 'event_order') COLLATE "C" AS event_order,
            gap -> 'tells' AS tells,
            gap -> 'record_ids' AS record_ids
        FROM jsonb_array_elements(coalesce(stored, '[]') || coalesce(fresh, '[]'))
        WITH ORDINALITY AS either (gap, age)
        -- The same bytes may have been put again since they were read.
        ORDER BY
            gap -> 'object_id', (gap ->> 'as_of')::timestamptz DESC,
            (gap ->> 'event_order') COLLATE "C" DESC, age DESC
    )
    SELECT jsonb_agg(g.gap ORDER BY g.as_of, g.event_order)
    FROM gaps AS g
    WHERE
        (g.as_of, g.event_order) > (whole_as_of, whole_event_order COLLATE "C")
        AND NOT EXISTS (
            SELECT FROM gaps AS newer
            WHERE
                (newer.as_of, newer.event_order) > (g.as_of, g.event_order)
                AND newer.tells = g.tells
                AND CASE
                    WHEN g.tells::boolean THEN g.record_ids <@ newer.record_ids
                    ELSE newer.record_ids <@ g.record_ids
                END
        )
$$;
COMMENT ON FUNCTION merge_gaps IS
    'The gaps newer than the newest whole answer, without those of which a newer one tells as much';

CREATE TABLE drift_findings (
    finding_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source text NOT NULL,
    path text NOT NULL,
    kind text NOT NULL,
    detail text,
    UNIQUE (source, path, kind)
);
COMMENT ON TABLE drift_findings IS 'What documents show that contracts do not expect';
COMMENT ON COLUMN drift_findings.path IS 'Dotted path in the document; it passes through lists';
COMMENT ON COLUMN drift_findings.detail IS
    'The JSON type of an unknown field, the one expected of a retyped field, or the line that mends '
    'a rename';

CREATE TABLE object_findings (
    object_id bigint NOT NULL REFERENCES ingested_objects ON DELETE CASCADE,
    finding_id bigint NOT NULL REFERENCES drift_findings ON DELETE CASCADE,
    event_time timestamptz NOT NULL,
    occurrences bigint NOT NULL,
    PRIMARY KEY (object_id, finding_id)
);
CREATE INDEX object_findings_finding ON object_findings (finding_id, event_time);
COMMENT ON TABLE object_findings IS
    'Which object versions show a finding, and how often; written with their ledger rows, so that '
    'each counts once';

-- What the tables of release 0.1.0 told, which a new database never has.
DO $$
BEGIN
    IF to_regclass('store_day_snapshots') IS NOT NULL THEN
        INSERT INTO store_days (
            source, store_id, bus_dt, object_id, as_of, event_order, state, whole_as_of,
            whole_event_order, gaps, first_loaded_at, last_loaded_at
        )
        SELECT
            s.source, s.store_id, s.bus_dt, s.object_id, s.as_of, s.event_order,
            CASE WHEN o.quarantined > 0 THEN 'dead_lettered' ELSE 'loaded' END,
            s.whole_as_of, s.whole_event_order, g.gaps,
            coalesce(o.committed_at, now()), coalesce(o.committed_at, now())
        FROM store_day_snapshots AS s
        LEFT JOIN (
            SELECT
                source, store_id, bus_dt,
                jsonb_agg(
                    jsonb_build_object(
                        'object_id', object_id, 'as_of', as_of, 'event_order', event_order,
                        'tells', tells, 'record_ids', record_ids
                    )
                    ORDER BY as_of, event_order
                ) AS gaps
            FROM store_day_gaps
            GROUP BY source, store_id, bus_dt
        ) AS g USING (source, store_id, bus_dt)
        LEFT JOIN ingested_objects AS o ON o.object_id = s.object_id;

        -- Days of checks were in no table: the newest object of each, as far as the ledger tells.
        INSERT INTO store_days (
            source, store_id, bus_dt, object_id, as_of, event_order, state, first_loaded_at,
            last_loaded_at
        )
        SELECT DISTINCT ON (d.source, d.store_id, d.bus_dt)
            d.source, d.store_id, d.bus_dt, d.object_id, d.as_of, o.event_order,
            CASE WHEN o.quarantined > 0 THEN 'dead_lettered' ELSE 'loaded' END,
            o.committed_at, o.committed_at
        FROM (
            SELECT 'erp' AS source, store_id, opn_bus_dt AS bus_dt, object_id, max(as_of) AS as_of
            FROM guest_checks
            WHERE opn_bus_dt IS NOT NULL
            GROUP BY store_id, opn_bus_dt, object_id
            UNION ALL
            SELECT source, store_id, bus_dt, object_id, event_time
            FROM ingested_objects
            WHERE source = 'getGuestChecks' AND event_order <> ''
        ) AS d
        JOIN ingested_objects AS o USING (source, object_id)
        WHERE d.store_id IS NOT NULL AND d.bus_dt IS NOT NULL AND d.as_of IS NOT NULL
        ORDER BY d.source, d.store_id, d.bus_dt, d.as_of DESC, o.event_order DESC;

        DROP TABLE store_day_snapshots;
        DROP TABLE store_day_gaps;

        -- How many objects showed a finding was counted per load. The first and the last are
        -- known: they stand for all of them until they are loaded again.
        WITH known AS (
            INSERT INTO drift_findings (source, path, kind, detail)
            SELECT source, path, kind, detail FROM schema_drift WHERE NOT inferred
            RETURNING finding_id, source, path, kind
        ),
        ends AS (
            SELECT
                k.finding_id, o.object_id, coalesce(o.event_time, o.received_at) AS event_time,
                s.occurrences,
                row_number() OVER (PARTITION BY k.finding_id ORDER BY o.event_order) AS place
            FROM known AS k
            JOIN schema_drift AS s USING (source, path, kind)
            JOIN ingested_objects AS o
                ON (o.object_key, o.event_time)
                IN ((s.first_object_key, s.first_seen), (s.last_object_key, s.last_seen))
        )
        INSERT INTO object_findings (finding_id, object_id, event_time, occurrences)
        SELECT
            finding_id, object_id, event_time,
            CASE WHEN place = 1 THEN occurrences - others ELSE 1 END
        FROM ends
        CROSS JOIN LATERAL (
            SELECT count(*) - 1 AS others FROM ends AS e WHERE e.finding_id = ends.finding_id
        ) AS beside;

        DROP TABLE schema_drift;
        DROP TABLE schema_fields;
    END IF;
END
$$;

CREATE VIEW schema_drift AS
SELECT
    f.source, f.path, f.kind, c.first_seen, c.last_seen, c.occurrences, c.objects,
    first.object_key AS first_object_key,
    last.object_key AS last_object_key,
    f.detail
FROM (
    SELECT
        finding_id,
        min(event_time) AS first_seen,
        max(event_time) AS last_seen,
        sum(occurrences)::bigint AS occurrences,
        count(*) AS objects
    FROM object_findings
    GROUP BY finding_id
) AS c
JOIN drift_findings AS f USING (finding_id)
CROSS JOIN LATERAL (
    SELECT o.object_key
    FROM object_findings AS x
    JOIN ingested_objects AS o USING (object_id)
    WHERE x.finding_id = c.finding_id AND x.event_time = c.first_seen
    ORDER BY o.event_order
    LIMIT 1
) AS first
CROSS JOIN LATERAL (
    SELECT o.object_key
    FROM object_findings AS x
    JOIN ingested_objects AS o USING (object_id)
    WHERE x.finding_id = c.finding_id AND x.event_time = c.last_seen
    ORDER BY o.event_order DESC
    LIMIT 1
) AS last;
COMMENT ON VIEW schema_drift IS
    'What changed upstream, as single documents show it: where, how, since when. What only many '
    'documents show (missing fields, scalars renamed) is worked out by consumer drift';
COMMENT ON COLUMN schema_drift.path IS 'Dotted path in the document; it passes through lists';
COMMENT ON COLUMN schema_drift.occurrences IS 'Times seen, each object version counted once';

CREATE FUNCTION record_findings(object_ids bigint [], told jsonb []) RETURNS void
LANGUAGE sql VOLATILE AS $$
    DELETE FROM object_findings WHERE object_id = ANY (object_ids);

    INSERT INTO drift_findings AS f (source, path, kind, detail)
    SELECT DISTINCT ON (o.source, t.path, t.kind) o.source, t.path, t.kind, t.detail
    FROM unnest(object_ids, told) AS d (object_id, findings)
    JOIN ingested_objects AS o USING (object_id)
    CROSS JOIN LATERAL jsonb_to_recordset(d.findings) AS t (path text, kind text, detail text)
    LEFT JOIN drift_findings AS k
        ON k.source = o.source AND k.path = t.path AND k.kind = t.kind
    WHERE
        k.detail <> t.detail
        OR (k.detail IS NULL AND t.detail IS NOT NULL AND k.finding_id IS NOT NULL)
        -- Documents that use ids as field names must not fill the table.
        OR (
            k.finding_id IS NULL
            AND (SELECT count(*) FROM drift_findings AS n WHERE n.source = o.source) < 2000
        )
    ORDER BY o.source, t.path, t.kind
    ON CONFLICT (source, path, kind) DO UPDATE SET detail = coalesce(excluded.detail, f.detail);

    INSERT INTO object_findings (object_id, finding_id, event_time, occurrences)
    SELECT d.object_id, k.finding_id, coalesce(o.event_time, o.received_at), t.occurrences
    FROM unnest(object_ids, told) AS d (object_id, findings)
    JOIN ingested_objects AS o USING (object_id)
    CROSS JOIN LATERAL jsonb_to_recordset(d.findings)
        AS t (path text, kind text, occurrences bigint)
    JOIN drift_findings AS k ON k.source = o.source AND k.path = t.path AND k.kind = t.kind;
$$;
COMMENT ON FUNCTION record_findings IS
    'Puts what object versions show in the place of what they showed before';
