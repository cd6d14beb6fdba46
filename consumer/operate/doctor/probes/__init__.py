"""Asking AWS, PostgreSQL and this machine without changing anything."""
