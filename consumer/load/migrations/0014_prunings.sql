-- What `consumer prune` dropped, so that nothing looks for it later.
-- Works with releases from schema 0010 on.

CREATE TABLE prunings (
    pruned_at timestamptz NOT NULL DEFAULT clock_timestamp() PRIMARY KEY,
    older_than timestamptz NOT NULL,
    dropped jsonb NOT NULL
);
COMMENT ON TABLE prunings IS
    'What consumer prune dropped: answers written before have no ledger row any more';
COMMENT ON COLUMN prunings.pruned_at IS 'When it began';
COMMENT ON COLUMN prunings.older_than IS 'What was older than this';
COMMENT ON COLUMN prunings.dropped IS 'How many rows of each kind, as far as it came';
