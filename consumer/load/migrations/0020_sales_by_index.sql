-- Net sales of a day are summed from the index alone: a month of sixty stores has half a million
-- checks or more, whose rows are wide.
-- Works with releases from schema 0010 on.

DROP INDEX guest_checks_business_day;
CREATE INDEX guest_checks_business_day ON guest_checks (opn_bus_dt, store_id)
INCLUDE (sub_ttl, removed_at, cancel_flag);
