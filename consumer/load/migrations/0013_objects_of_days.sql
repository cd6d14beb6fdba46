-- The objects of a store-day are found by index: to prove a day, and to tell its story.
-- Works with releases from schema 0010 on.

CREATE INDEX ingested_objects_business_day ON ingested_objects (bus_dt, store_id);
