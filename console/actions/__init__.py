"""What operators do: planned, written down, carried out by whichever console is up."""
