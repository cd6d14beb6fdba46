"""`python -m producer`, and the console script.

Signals are seen to before anything else is imported, which takes most of a second: told to stop
meanwhile, the program ends in order.
"""

import signal
import sys


def main() -> None:
    """Run the command line; told to stop while it is being imported, end before it begins."""
    told: list[int] = []
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, _frame: told.append(number))
    from producer.cli import main as run_command_line  # noqa: PLC0415 - after the signals
    from producer.commands.report import exit_code_before_work  # noqa: PLC0415 - as above

    if told:
        sys.exit(exit_code_before_work(sys.argv[1:]))
    run_command_line()


if __name__ == "__main__":
    main()
