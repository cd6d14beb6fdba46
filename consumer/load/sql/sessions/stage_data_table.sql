-- The staging table of one data table: the columns a document fills, and whose row it is.
CREATE TEMP TABLE IF NOT EXISTS {stage} ON COMMIT DELETE ROWS AS
SELECT NULL::integer AS doc_no, NULL::integer AS pos, {columns}
FROM {table}
WITH NO DATA
