"""Bytes to validated records."""
