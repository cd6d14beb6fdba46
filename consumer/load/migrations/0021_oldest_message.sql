-- How old the oldest message is that a consumer holds: SQS tells that to CloudWatch only.
-- Works with releases from schema 0010 on.

ALTER TABLE consumer_heartbeats ADD COLUMN oldest_sent_at timestamptz;
COMMENT ON COLUMN consumer_heartbeats.oldest_sent_at IS
'when the oldest message that it held was first sent; null while it held none';
