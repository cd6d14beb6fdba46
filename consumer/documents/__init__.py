"""JSON values to validated records."""
