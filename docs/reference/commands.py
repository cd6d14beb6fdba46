"""The page of commands: every command line with its arguments, as `--help` says them."""

import inspect
import re
from collections.abc import Iterator
from typing import Any

import typer
from typer.core import TyperGroup

from console.cli import cli as console_cli
from consumer.cli import cli as consumer_cli
from devstack.cli import app as devstack_cli
from docs.reference.markdown import page, table
from lakehouse.cli import cli as lakehouse_cli
from producer.cli import cli as producer_cli

COMMAND_LINES = {
    "consumer": consumer_cli,
    "producer": producer_cli,
    "console": console_cli,
    "lakehouse": lakehouse_cli,
    "devstack": devstack_cli,
}
# Every program has these.
EVERYWHERE = {"--help", "--version", "--install-completion", "--show-completion"}
INTRODUCTION = """\
In `.venv/bin` after `make setup`; `python -m consumer …` works as well. Exit codes: 0 done; 1
something could not be done, and the message names it; 2 an argument or a setting is unusable;
130 interrupted."""


def commands_page() -> str:
    """Every command with its arguments and options."""
    parts = [INTRODUCTION]
    for path, command in every_command():
        params = [param for param in command.params if not EVERYWHERE & set(param.opts)]
        parts += [f"## {path}", inspect.cleandoc(command.help or "")]
        rows = [(f"`{written(param)}`", meaning(param, command)) for param in params]
        parts += [table(("argument", "meaning"), rows)] if rows else []
    return page("Commands", parts)


def every_command() -> Iterator[tuple[str, Any]]:
    """Yield the commands of every program with their full names."""
    for name, application in COMMAND_LINES.items():
        yield from commands(typer.main.get_command(application), name)


def commands(command: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Yield a command line's commands with their full names; groups that do something alone too."""
    if not isinstance(command, TyperGroup):
        yield path, command
        return
    if command.invoke_without_command:
        yield path, command
    context = typer.Context(command)
    for name in command.list_commands(context):
        yield from commands(command.get_command(context, name), f"{path} {name}")


def written(param: Any) -> str:
    """Return how an argument is written: `--limit LIMIT`, `FILE...`."""
    value = param.metavar or (param.name or "").upper()
    if param.param_type_name == "argument":
        return value if param.nargs == 1 or value.endswith("...") else f"{value}..."
    switches = " / ".join((*param.opts, *param.secondary_opts))
    return switches if param.is_flag else f"{switches} {value}"


def meaning(param: Any, command: Any) -> str:
    """Return an argument's help with its range and default."""
    _, text = param.get_help_record(typer.Context(command)) or ("", "")
    return re.sub(r"\s+", " ", text)
