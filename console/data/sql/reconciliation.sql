-- The checks of one store-day whose header differs from its lines, the largest difference first.
SELECT
    guest_check_id, sub_ttl, lines_ttl, sub_ttl_difference, pay_ttl, tenders_ttl, pay_ttl_difference
FROM v_check_reconciliation
WHERE store_id = %(store)s AND opn_bus_dt = %(day)s
ORDER BY
    greatest(abs(coalesce(sub_ttl_difference, 0)), abs(coalesce(pay_ttl_difference, 0))) DESC,
    guest_check_id
LIMIT %(most)s
