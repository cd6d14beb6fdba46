-- An action under way that has one of these messages.
SELECT a.action_id
FROM operator_action_items AS i
JOIN operator_actions AS a USING (action_id)
WHERE i.message_id = ANY(%(ids)s) AND i.state = 'planned' AND a.state = 'running'
LIMIT 1
