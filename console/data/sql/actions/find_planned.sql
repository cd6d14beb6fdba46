-- An action under way that has one of these messages.
SELECT a.action_id
FROM operator_actions AS a
JOIN operator_action_items AS i USING (action_id)
WHERE a.state = 'running' AND i.state = 'planned' AND i.message_id = ANY(%(ids)s)
LIMIT 1
