-- The newest business date of which something is loaded; a wrong clock's dates left out.
SELECT max(bus_dt) AS bus_dt FROM store_days WHERE bus_dt <= %(today)s
