"""Files into the lake, and events for what lies there."""
