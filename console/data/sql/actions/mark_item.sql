-- A message was acted on.
UPDATE operator_action_items
SET state = %(state)s, acted_at = clock_timestamp()
WHERE action_id = %(action_id)s AND message_id = %(message_id)s AND state = 'planned'
