"""Where log events go: to stderr, JSON lines, or readable text on a terminal.

Normal operation says nothing per message above DEBUG. Payloads and secrets are never logged.
"""

import logging
import sys
from typing import Any

import structlog


def configure_logs(level: str) -> None:
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
    return structlog.PrintLogger(sys.stderr)
