-- What changed upstream, the latest first; what the operator can act on before what is only new.
SELECT
    source, path, kind, detail, occurrences, objects,
    first_seen, last_seen, first_object_key, last_object_key
FROM schema_drift
ORDER BY
    array_position(
        ARRAY[
            'future_version', 'suspected_rename', 'missing', 'retyped', 'line_type', 'duplicate',
            'unknown'
        ],
        kind
    ),
    last_seen DESC, source, path
