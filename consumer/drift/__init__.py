"""Which fields documents hold, how often they come filled, and what changed."""
