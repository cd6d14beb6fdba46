"""`consumer verify --totals`: what another source of truth says of store-days."""
