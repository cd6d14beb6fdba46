-- Findings say in which store and on which business day they were seen last, and can be forgotten
-- until they are seen again.

CREATE OR REPLACE VIEW schema_drift AS
SELECT
    f.source,
    f.path,
    f.kind,
    c.first_seen,
    c.last_seen,
    c.occurrences,
    c.objects,
    first.object_key AS first_object_key,
    last.object_key AS last_object_key,
    f.detail,
    last.store_id AS last_store_id,
    last.bus_dt AS last_bus_dt
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
    SELECT o.object_key, o.store_id, o.bus_dt
    FROM object_findings AS x
    JOIN ingested_objects AS o USING (object_id)
    WHERE x.finding_id = c.finding_id AND x.event_time = c.last_seen
    ORDER BY o.event_order DESC
    LIMIT 1
) AS last;
COMMENT ON COLUMN schema_drift.last_store_id IS 'The store of the document that showed it last';
COMMENT ON COLUMN schema_drift.last_bus_dt IS
    'The business date of the document that showed it last; of an export, that of most checks';

CREATE TABLE forgotten_drift (
    source text NOT NULL,
    path text NOT NULL,
    forgotten_at timestamptz NOT NULL,
    PRIMARY KEY (source, path)
);
COMMENT ON TABLE forgotten_drift IS
    'Paths that consumer drift leaves out until documents that came later show them again';
