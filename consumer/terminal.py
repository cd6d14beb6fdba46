"""What every command does at a terminal: read settings, run, print, say what failed, exit.

Results go to stdout, everything else to stderr.
"""

import asyncio
import json
import signal
import sys
from collections.abc import Callable, Coroutine, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, NoReturn, TypeVar

import typer
from pydantic import ValidationError
from pydantic_settings import BaseSettings
from rich.console import Console
from rich.progress import Progress
from rich.table import Table
from rich.text import Text

from consumer.errors import (
    ConsumerError,
    FailureBurst,
    SchemaMismatch,
    SettingsInvalid,
    StorageUnavailable,
)

EXIT_FAILED, EXIT_USAGE, EXIT_INTERRUPTED = 1, 2, 130

_ANSWER_SECONDS = 10

S = TypeVar("S", bound=BaseSettings)
R = TypeVar("R")


def fail(message: str, code: int = EXIT_FAILED) -> NoReturn:
    """Say what went wrong on stderr and exit."""
    tell(message, style="red")
    raise typer.Exit(code)


def tell(message: str, style: str | None = None) -> None:
    """Say something beside the result, on stderr."""
    console = Console(stderr=True)
    console.print(message, style=style, markup=False, highlight=False, soft_wrap=True)


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
    except* (ConsumerError, SchemaMismatch, FailureBurst) as group:
        fail(_first(group))
    except* KeyboardInterrupt:
        sys.exit(EXIT_INTERRUPTED)


async def soon(work: Coroutine[Any, Any, R], what: str) -> R:
    """Return what is asked of AWS first, so that nobody waits long for one that is down.

    Raises:
        StorageUnavailable: no answer came within ten seconds.
        Transient: AWS could not answer or refuses us.
    """
    try:
        async with asyncio.timeout(_ANSWER_SECONDS):
            return await work
    except TimeoutError as error:
        raise StorageUnavailable(
            f"{what}: no answer within {_ANSWER_SECONDS} s; check AWS_ENDPOINT_URL and the network"
        ) from error


def print_json(value: Any, indent: int | None = None) -> None:
    """Print a value as one JSON document on stdout."""
    text = json.dumps(value, ensure_ascii=False, indent=indent)
    try:
        text.encode()
    except UnicodeEncodeError:  # a lone surrogate that somebody sent us
        text = json.dumps(value, indent=indent)
    typer.echo(text)


def print_table(columns: Iterable[str], rows: Iterable[Iterable[Any]]) -> None:
    """Print a table on stdout; nothing in a cell is taken for markup or a terminal's command."""
    table = Table()
    for name in columns:
        # An id is what other commands take: it must never be cut.
        table.add_column(name, overflow="fold", min_width=36 if name == "id" else None)
    for row in rows:
        table.add_row(*(Text(printable("" if cell is None else str(cell))) for cell in row))
    Console().print(table)


def printable(text: str) -> str:
    """Replace what a terminal could take for a command."""
    return "".join(
        char if char.isprintable() or char == "\n" else "\N{REPLACEMENT CHARACTER}" for char in text
    )


@contextmanager
def progress(what: str, total: int | None) -> Iterator[Callable[[int], None]]:
    """Show a bar on stderr, if that is a terminal; give the function that moves it on.

    Args:
        what: What is being done, in a word.
        total: How many there are at most; None if nobody knows.
    """
    console = Console(stderr=True)
    with Progress(console=console, disable=not console.is_terminal, redirect_stdout=False) as bar:
        task = bar.add_task(what, total=total)
        yield lambda count: bar.advance(task, count)


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
