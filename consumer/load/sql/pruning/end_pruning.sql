-- Says what was pruned.
UPDATE prunings SET dropped = %s WHERE pruned_at = %s
