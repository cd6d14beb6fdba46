"""One object from its event to loaded."""
