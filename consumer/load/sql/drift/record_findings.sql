-- What the documents of the batch show, in the place of what the same object versions showed when
-- they were loaded before. One that was not read in full does not tell all of it again.
SELECT record_findings(array_agg(d.object_id), array_agg(d.findings))
FROM stage_documents AS d
WHERE
    d.unchanged = 0
    OR NOT EXISTS (SELECT FROM object_findings AS known WHERE known.object_id = d.object_id)
