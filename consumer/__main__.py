"""`python -m consumer`, and the console script.

Signals are seen to before anything else is imported, which takes most of a second: a daemon that is
told to stop meanwhile ends in order. Other commands are interrupted as usual.
"""

import sys

from runtime.signals import leave_when_told


def main() -> None:
    """Run the command line."""
    if sys.argv[1:2] == ["run"]:
        leave_when_told()
    from consumer.cli import main as run_command_line  # noqa: PLC0415 - after the signals

    run_command_line()


if __name__ == "__main__":
    main()
