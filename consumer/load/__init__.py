"""Rows to committed tables."""
