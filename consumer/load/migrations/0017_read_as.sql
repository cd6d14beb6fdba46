-- An object version that comes again is answered from the ledger when it would be read as before.
-- What an older release reads has another time than its reading, which then says nothing.
-- Works with releases from schema 0010 on.

ALTER TABLE ingested_objects
ADD COLUMN read_as bytea,
ADD COLUMN read_at timestamptz;
COMMENT ON COLUMN ingested_objects.read_as IS
'fingerprint of the contract and the renames that the object was read with, and of the loader';
COMMENT ON COLUMN ingested_objects.read_at IS
'committed_at as read_as was written; where it differs, read_as says nothing';
