"""Who looks on while a batch is written; needs nothing, so that an idle program imports nothing."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Watch:
    """Who is told of progress, and who may ask to stop."""

    advance: Callable[[int, int], None] = lambda _done, _total: None
    is_stopped: Callable[[], bool] = lambda: False
