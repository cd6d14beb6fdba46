"""Steps of the schema; each runs the SQL file of its own name."""
