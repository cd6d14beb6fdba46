-- The action that used a plan; plans are good for less than a day.
SELECT action_id
FROM operator_actions
WHERE plan = %(plan)s AND began_at > clock_timestamp() - interval '1 day'
