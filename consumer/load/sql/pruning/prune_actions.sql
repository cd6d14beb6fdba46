-- What operators did long ago.
DELETE FROM operator_actions
WHERE
    ctid >= %(first)s::tid
    AND ctid < %(last)s::tid
    AND began_at < %(older_than)s
