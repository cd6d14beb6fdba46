-- What the documents of the batch show, in the place of what the same object versions showed when
-- they were loaded before.
SELECT record_findings(array_agg(object_id), array_agg(findings)) FROM stage_documents
