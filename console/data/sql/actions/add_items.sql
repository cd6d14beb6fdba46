-- The messages of an action, or the document that was looked at.
INSERT INTO operator_action_items (action_id, message_id, object_key, state, acted_at)
SELECT
    %(action_id)s, message_id, object_key, %(state)s,
    CASE WHEN %(state)s <> 'planned' THEN clock_timestamp() END
FROM unnest(%(message_ids)s::text[], %(object_keys)s::text[]) AS t (message_id, object_key)
