-- Whether there are lines to be settled between checks.
SELECT EXISTS (SELECT FROM stage_contested)
