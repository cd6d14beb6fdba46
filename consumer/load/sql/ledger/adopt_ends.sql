-- What is known of objects that were refused unread goes over to the versions that the same events
-- turned out to be about, whose rows took the place of theirs.
WITH places AS (
    SELECT w.object_id AS was, d.object_id
    FROM unnest(%(objects)s::bigint[], %(documents)s::integer[]) AS w (object_id, doc_no)
    JOIN stage_documents AS d USING (doc_no)
),
events AS (
    UPDATE object_events AS t SET object_id = p.object_id
    FROM places AS p
    WHERE t.object_id = p.was
)
UPDATE dead_letters AS t SET object_id = p.object_id
FROM places AS p
WHERE t.object_id = p.was
