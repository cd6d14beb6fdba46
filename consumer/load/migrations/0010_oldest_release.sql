-- The tables say which releases work with them: an older one that is started again, after a rollback
-- or by a scale-out during a deployment, then loads instead of refusing.
-- Works with releases from schema 0010 on.

ALTER TABLE alembic_version
ADD COLUMN oldest_schema text;
COMMENT ON COLUMN alembic_version.oldest_schema IS
'the oldest release that works with the tables, by the schema it was made for';
