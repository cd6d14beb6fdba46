"""`python -m producer`, and the console script.

Signal handlers are set before anything else is imported, which takes most of a second: a signal
that arrives meanwhile still ends the program in order.
"""

import signal
import sys


def main() -> None:
    """Run the command line, unless a signal arrived while it was being imported."""
    received: list[int] = []
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, _frame: received.append(number))
    from producer.cli import main as run_command_line  # noqa: PLC0415 - after the signals
    from producer.commands.report import exit_code_before_work  # noqa: PLC0415 - as above

    if received:
        sys.exit(exit_code_before_work(sys.argv[1:]))
    run_command_line()


if __name__ == "__main__":
    main()
