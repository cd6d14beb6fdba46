-- Two lines that tell of one store and business date.
SELECT min(line), max(line), store_id, bus_dt
FROM stage_totals
GROUP BY store_id, bus_dt
HAVING count(*) > 1
ORDER BY 1
LIMIT 1
