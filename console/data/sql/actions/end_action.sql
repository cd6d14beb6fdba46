-- All messages of an action were acted on, or were not there any more.
UPDATE operator_actions
SET state = 'done', ended_at = clock_timestamp()
WHERE action_id = %(action_id)s AND state = 'running'
