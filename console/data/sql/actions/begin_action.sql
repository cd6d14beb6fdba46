-- An action is written down before anything is touched.
INSERT INTO operator_actions (kind, actor, program, filter, reason, plan, state, ended_at)
VALUES (
    %(kind)s, %(actor)s, 'console', %(filter)s, %(reason)s, %(plan)s, %(state)s,
    CASE WHEN %(state)s = 'done' THEN clock_timestamp() END
)
RETURNING action_id
