"""The database schema, one numbered SQL file a step."""
