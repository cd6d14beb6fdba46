"""How the work is going, told to whoever supervises it: people, Prometheus, systemd, ECS."""
