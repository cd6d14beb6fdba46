"""Copies the standing rows of PostgreSQL to Apache Iceberg tables in the lake's `processed/`."""
