-- How many totals there are, and which business dates they span.
SELECT count(*), min(bus_dt), max(bus_dt) FROM stage_totals
