-- The messages of what operators did long ago.
DELETE FROM operator_action_items AS i
USING operator_actions AS a
WHERE
    i.ctid >= %(first)s::tid
    AND i.ctid < %(last)s::tid
    AND a.action_id = i.action_id
    AND a.began_at < %(older_than)s
