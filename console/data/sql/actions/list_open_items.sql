-- What of an action was not yet done.
SELECT message_id
FROM operator_action_items
WHERE action_id = %(action_id)s AND state = 'planned'
ORDER BY message_id
