"""What every command does at a terminal: read settings, run, say what failed, exit."""

import asyncio
import signal
import sys
from collections.abc import Coroutine
from typing import Any, NoReturn, TypeVar

import typer
from pydantic import ValidationError
from pydantic_settings import BaseSettings
from rich.console import Console

from consumer.errors import ConsumerError, SchemaMismatch, SettingsInvalid

EXIT_FAILED, EXIT_USAGE, EXIT_INTERRUPTED = 1, 2, 130

S = TypeVar("S", bound=BaseSettings)
R = TypeVar("R")


def fail(message: str, code: int = EXIT_FAILED) -> NoReturn:
    """Say what went wrong on stderr and exit."""
    Console(stderr=True).print(message, style="red", markup=False, highlight=False)
    raise typer.Exit(code)


def settings_of(model: type[S]) -> S:
    """Read settings, or exit naming each variable that is unusable and the remedy."""
    try:
        return model()
    except ValidationError as error:
        fail(_explained(error), EXIT_USAGE)
    except (OSError, UnicodeDecodeError) as error:
        fail(f"cannot read .env: {error}", EXIT_USAGE)


def finish(work: Coroutine[Any, Any, R]) -> R:
    """Run a command's work, or exit with its error."""
    # A shell that started us in the background may have had SIGINT ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return asyncio.run(work)
    except* SettingsInvalid as group:
        fail(_first(group), EXIT_USAGE)
    except* (ConsumerError, SchemaMismatch) as group:
        fail(_first(group))
    except* KeyboardInterrupt:
        sys.exit(EXIT_INTERRUPTED)


def _first(group: BaseExceptionGroup[BaseException]) -> str:
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return str(error)


def _explained(error: ValidationError) -> str:
    lines = []
    for found in error.errors(include_input=False, include_url=False):
        name = str(found["loc"][0]).upper() if found["loc"] else "settings"
        if found["type"] == "missing":
            lines.append(f"{name} is not set; export it or add a line {name}=… to .env")
        else:
            lines.append(f"{name}: {found['msg']}; correct it in the environment or in .env")
    return "\n".join(lines)
