"""What documents usually hold, and what changed."""
