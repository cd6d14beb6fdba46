-- A store-day list that comes again unchanged is known by the digest of its bytes. What an older
-- release writes has another object than its digest, which then says nothing.
-- Works with releases from schema 0010 on.

ALTER TABLE store_days ADD COLUMN digest_object_id bigint;
COMMENT ON COLUMN store_days.digest IS
'digest of the bytes of the newest whole list, and of how they were read; null where that cannot be '
'told, and of days of checks';
COMMENT ON COLUMN store_days.digest_object_id IS
'the list''s object; where it is not object_id, or gaps are known, the digest says nothing';
