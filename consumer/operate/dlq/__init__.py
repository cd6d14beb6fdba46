"""`consumer dlq …`: look at dead letters, replay them, purge them."""
