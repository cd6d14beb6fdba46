-- The stores of which the tables have rows.
SELECT DISTINCT store_id FROM public.store_days
UNION
SELECT DISTINCT store_id FROM public.guest_checks
UNION
SELECT DISTINCT store_id FROM public.fiscal_invoices
UNION
SELECT DISTINCT store_id FROM public.charge_backs
UNION
SELECT DISTINCT store_id FROM public.transactions
UNION
SELECT DISTINCT store_id FROM public.cash_management_details
