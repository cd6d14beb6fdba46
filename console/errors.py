"""What keeps the console from starting or from showing a page."""


class ConsoleError(Exception):
    """Its text says what to do next."""
