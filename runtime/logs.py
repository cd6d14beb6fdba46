"""Where log events go: to stderr, JSON lines for machines, readable text for people."""

import logging
import sys
from typing import Any, Literal

import structlog

LogFormat = Literal["auto", "json", "console"]


def configure_logs(level: str = "INFO", log_format: LogFormat = "auto") -> None:
    """Set up structlog for this process; `auto` is text when stderr is a terminal."""
    is_console = log_format == "console" or (log_format == "auto" and sys.stderr.isatty())
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *_rendering(as_text=is_console),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        logger_factory=_stderr_logger,
        cache_logger_on_first_use=False,
    )
    logging.getLogger().handlers[:] = [_Relay(logging.WARNING)]


def _rendering(*, as_text: bool) -> list[Any]:
    if as_text:
        # Plain tracebacks: the rich ones show local variables, which may hold data.
        plain = structlog.dev.plain_traceback
        return [
            structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=plain)
        ]
    return [
        structlog.processors.format_exc_info,
        structlog.processors.JSONRenderer(ensure_ascii=False),
    ]


class _Relay(logging.Handler):
    """Shows what libraries warn of, such as psycopg's pool and asyncio, in the same form."""

    def emit(self, record: logging.LogRecord) -> None:
        # The first line only: tracebacks may quote data.
        message = record.getMessage().partition("\n")[0]
        structlog.get_logger().log(
            record.levelno, "library_warned", logger=record.name, message=message
        )


def _stderr_logger(*_names: Any) -> structlog.PrintLogger:
    # Looked up per event: a progress bar replaces sys.stderr while it is drawn, so that log lines
    # appear above the bar.
    return structlog.PrintLogger(sys.stderr)
