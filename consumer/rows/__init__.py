"""Validated records to COPY rows."""
