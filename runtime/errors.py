"""The errors that end a command with a message, in every program."""

from typing import ClassVar

EXIT_OK, EXIT_FAILED, EXIT_USAGE, EXIT_INTERRUPTED = 0, 1, 2, 130


class ReportedError(Exception):
    """An error that ends a command with its message and exit code instead of a traceback."""

    exit_code: ClassVar[int] = EXIT_FAILED


class SettingsInvalid(ReportedError):
    """The settings cannot work; the message names the variable and the remedy."""

    exit_code: ClassVar[int] = EXIT_USAGE
