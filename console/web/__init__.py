"""The HTTP side of every page: templates, drawings, live updates."""
