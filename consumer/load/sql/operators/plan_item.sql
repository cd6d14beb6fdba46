-- Writes down a message that an action is about to touch.
INSERT INTO operator_action_items (action_id, message_id, object_key)
VALUES (%(action_id)s, %(message_id)s, nullif(%(object_key)s, ''))
ON CONFLICT DO NOTHING
