"""`consumer history`: why a store-day, or a check, says what it says."""
