"""`python -m lakehouse`, and the console script.

Signals are seen to before anything else is imported, which takes most of a second.
"""

import sys

from runtime.errors import EXIT_INTERRUPTED, EXIT_OK
from runtime.signals import interrupt_when_told, leave_when_told


def main() -> None:
    """Run the command line."""
    is_daemon = sys.argv[1:2] == ["run"]
    leave_when_told(EXIT_OK if is_daemon else EXIT_INTERRUPTED)
    from lakehouse.cli import cli  # noqa: PLC0415 - after the signals
    from runtime.program import run_program  # noqa: PLC0415 - as above

    if not is_daemon:
        interrupt_when_told()
    run_program(cli)


if __name__ == "__main__":
    main()
