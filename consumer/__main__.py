"""`python -m consumer`, and the console script.

Signals are seen to before anything else is imported, which takes most of a second: a daemon that is
told to stop meanwhile ends in order.
"""

import sys

from runtime.signals import leave_when_told


def main() -> None:
    """Run the command line."""
    if sys.argv[1:2] == ["run"]:
        leave_when_told()
    from consumer.cli import cli  # noqa: PLC0415 - after the signals
    from runtime.program import run_program  # noqa: PLC0415

    run_program(cli)


if __name__ == "__main__":
    main()
