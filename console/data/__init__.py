"""What the pages show, read from PostgreSQL, the queues and the lake."""
