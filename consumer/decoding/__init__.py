"""Bytes to JSON values, whole or in runs, and no others than PostgreSQL can hold."""
