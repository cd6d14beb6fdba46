"""From API to lake: pulls ERP answers and uploads ERP exports, untouched, into `raw/`.

Knows nothing of queues, tables or what stands inside a document.
"""
