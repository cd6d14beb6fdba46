"""Being told to stop, from a program's first line on; imports nothing that takes time."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic
from types import FrameType

# A terminal and a parent process may both pass on one request.
_SAME_REQUEST_SECONDS = 1.0


def leave_when_told(code: int = 0) -> None:
    """Let a signal that asks to stop end the process at once; while nothing is held."""
    for number in _stop_signals():
        signal.signal(number, lambda _number, _frame: os._exit(code))


def interrupt_when_told() -> None:
    """Let a signal that asks to stop raise KeyboardInterrupt, as Ctrl-C does."""
    for number in _stop_signals():
        # SIGINT too: a shell that starts programs in the background has it ignored.
        signal.signal(number, signal.default_int_handler)


@contextmanager
def stopping_by(stop: Callable[[], object]) -> Iterator[None]:
    """Call `stop` when told to stop while the block runs; told a second later, end hard.

    `stop` runs between any two steps of the main thread. After the block no signal is heard.
    """
    asked_at: list[float] = []

    def told(number: int, _frame: FrameType | None) -> None:
        if not asked_at:
            asked_at.append(monotonic())
            stop()
        elif monotonic() - asked_at[0] >= _SAME_REQUEST_SECONDS:
            os._exit(128 + number)

    numbers = _stop_signals()
    for number in numbers:
        signal.signal(number, told)
    try:
        yield
    finally:
        for number in numbers:
            signal.signal(number, signal.SIG_IGN)


def _stop_signals() -> list[signal.Signals]:
    """Return the signals that ask to stop; `nohup` has SIGHUP ignored, and means it."""
    numbers = [signal.SIGTERM, signal.SIGINT]
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        numbers.append(signal.SIGHUP)
    return numbers
