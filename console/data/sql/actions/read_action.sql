-- One action.
SELECT
    action_id, kind, actor, program, filter, reason, state, error_message, began_at, ended_at
FROM operator_actions
WHERE action_id = %(action_id)s
