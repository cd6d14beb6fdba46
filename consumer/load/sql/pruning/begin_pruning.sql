-- Says what is going to be pruned.
INSERT INTO prunings (pruned_at, older_than, dropped) VALUES (%s, %s, '{}')
