-- Which renames each object was read with, so that consumers that disagree are seen.

ALTER TABLE ingested_objects ADD COLUMN alias_fingerprint text;
COMMENT ON COLUMN ingested_objects.alias_fingerprint IS
    'The renames that the object was read with; different ones within minutes are consumers that '
    'read the same fields differently';
