-- The endpoints that a store answers on a business date, as the producer announced it.
SELECT DISTINCT source
FROM expected_stores
WHERE store_id = %(store)s AND %(day)s BETWEEN valid_from AND coalesce(valid_to, 'infinity')
ORDER BY source
