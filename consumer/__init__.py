"""From queue to tables: the service that runs for months."""
