-- For sessions that load. Staging tables have no statistics, and joined in the order of their rows
-- they would be sorted first: that took 7 % of a batch.
SET work_mem = '64MB';
SET temp_buffers = '64MB';
SET jit = off;
SET enable_mergejoin = off;
