"""What every program needs: settings, logs, signals, terminal, HTTP port, AWS; knows no product."""
