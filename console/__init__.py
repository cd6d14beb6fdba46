"""Pages for operators and data people: is everything there, what failed, did my fix work."""
