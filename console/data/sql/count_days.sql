-- How many store-days are known.
SELECT count(*) AS days FROM store_days
