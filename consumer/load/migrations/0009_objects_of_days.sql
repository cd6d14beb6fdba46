-- The objects of a store-day are found by index: to prove a day, and to tell its story.

CREATE INDEX ingested_objects_business_day ON ingested_objects (bus_dt, store_id);
