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

    root = logging.getLogger()
    root.handlers[:] = [_Relay(logging.WARNING)]


class _Relay(logging.Handler):
    """Shows what libraries warn of, such as psycopg's pool and asyncio, in the same form."""

    def emit(self, record: logging.LogRecord) -> None:
        # The first line only: tracebacks may quote data.
        said = record.getMessage().partition("\n")[0]
        structlog.get_logger().log(record.levelno, "library", logger=record.name, said=said)


def _stderr_logger(*_names: Any) -> structlog.PrintLogger:
    return structlog.PrintLogger(sys.stderr)
