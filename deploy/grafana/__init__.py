"""The Grafana dashboard, what generates it, and what Grafana reads at its start."""
