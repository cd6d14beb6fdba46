-- Writes down how an action ended.
UPDATE operator_actions
SET state = %(state)s, error_message = %(error_message)s, ended_at = clock_timestamp()
WHERE action_id = %(action_id)s
