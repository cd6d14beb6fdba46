"""One module per page: what it shows and what may be done on it."""
