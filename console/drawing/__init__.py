"""What pages make of the rows they asked for: pure, from rows to what templates draw."""
