"""The ERP API over HTTP."""
