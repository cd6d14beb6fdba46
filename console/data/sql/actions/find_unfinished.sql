-- Actions of consoles that still have to be carried out, by whoever takes them.
SELECT action_id, kind
FROM operator_actions
WHERE
    state = 'running'
    AND program = 'console'
    AND kind IN ('replay', 'purge')
    AND began_at > clock_timestamp() - interval '14 days'
ORDER BY action_id
