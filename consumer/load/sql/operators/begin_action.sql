-- Writes down what somebody is about to do.
INSERT INTO operator_actions (kind, actor, program, filter, reason)
VALUES (%(kind)s, %(actor)s, %(program)s, %(filter)s, %(reason)s)
RETURNING action_id
