"""What can end an export.

ReportedError
├── LakehouseError        says what to do, and ends a command with exit code 1
│   ├── Misfit            a value that its Iceberg column cannot hold
│   └── ExportUnderWay    another exporter holds the lock
└── Stopped               somebody asked to stop; exit code 130

Conflict is not reported: the batch begins again from a new snapshot.
"""

from typing import ClassVar

from runtime.errors import EXIT_INTERRUPTED, ReportedError


class LakehouseError(ReportedError):
    """The export, or what was asked of it, cannot be done; the message says what to do."""


class Misfit(LakehouseError):
    """A value does not fit its Iceberg column; nothing of its batch was committed."""


class ExportUnderWay(LakehouseError):
    """Another exporter holds the lock."""


class Stopped(ReportedError):
    """Told to stop; the batch under way was given up, and its days stay queued."""

    exit_code: ClassVar[int] = EXIT_INTERRUPTED


class Conflict(Exception):
    """Somebody else committed to a table, or published, since the batch began."""
