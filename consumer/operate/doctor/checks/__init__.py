"""What is right and wrong about what the probes learned. Pure."""
