"""Where log events go: to stderr, one line of JSON each, or readable text on a terminal.

stdout belongs to the command's result. Payloads and secrets are never logged.
"""

import logging
import sys
from typing import Any

import structlog


def configure_logs(level: str = "INFO") -> None:
    """Set up structlog for this process; repeating it replaces the previous set-up.

    Args:
        level: The lowest level shown: DEBUG, INFO, WARNING or ERROR.
    """
    renderer: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer()
        if sys.stderr.isatty()
        else structlog.processors.JSONRenderer(ensure_ascii=False)
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        logger_factory=_stderr_logger,
        cache_logger_on_first_use=False,
    )


def _stderr_logger(*_names: Any) -> structlog.PrintLogger:
    # sys.stderr is looked up per event: a progress bar replaces it while it is drawn, so
    # that log lines appear above the bar.
    return structlog.PrintLogger(sys.stderr)
