"""What keeps the console from starting or from showing a page."""

from runtime.errors import ReportedError


class ConsoleError(ReportedError):
    """Its text says what to do next."""
