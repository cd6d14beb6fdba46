"""A program's command line: its commands, `--version`, completion, and how it is run.

A command is imported when it is named: together they need more than a second of CPU.
"""

import codecs
import io
import sys
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from importlib.metadata import version
from types import MappingProxyType
from typing import Any

import typer
from typer.core import TyperGroup
from typer.main import get_command, get_group

from runtime.errors import EXIT_INTERRUPTED
from runtime.logs import configure_logs


def program(
    name: str, purpose: str, commands: Mapping[str, str] = MappingProxyType({})
) -> typer.Typer:
    """Return a command line with `--version` and shell completion; commands may be added to it.

    Args:
        name: The program's.
        purpose: What it is for, in a sentence.
        commands: Where each command is by its name, in the order of the help:
            `"package.module:function"`, or an application of typer's with commands of its own.
    """
    cli = typer.Typer(
        name=name,
        help=purpose,
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        cls=_importing(commands),
    )

    def show_version(wanted: bool) -> None:  # noqa: FBT001 - typer's callback
        if wanted:
            typer.echo(f"{name} {version('coco-ingest')}")
            raise typer.Exit

    told = "Print the version and exit."
    option = typer.Option(False, "--version", is_eager=True, callback=show_version, help=told)

    @cli.callback(help=purpose)
    def root(*, version: bool = option) -> None:
        """Take the options of the program itself."""

    return cli


def _importing(commands: Mapping[str, str]) -> type[TyperGroup]:
    class Commands(TyperGroup):
        """The commands of one program."""

        def list_commands(self, ctx: typer.Context) -> list[str]:  # type: ignore[override]
            return [*commands, *super().list_commands(ctx)]

        def get_command(self, ctx: typer.Context, cmd_name: str) -> Any:  # type: ignore[override]
            if cmd_name in commands:
                return _imported(cmd_name, commands[cmd_name])
            return super().get_command(ctx, cmd_name)

    return Commands


@cache
def _imported(name: str, place: str) -> Any:
    module, _, attribute = place.partition(":")
    found = getattr(import_module(module), attribute)
    if isinstance(found, typer.Typer):
        group = get_group(found)
        group.name = name
        return group
    alone = typer.Typer(add_completion=False)
    alone.command(name)(found)
    return get_command(alone)


def run_program(cli: typer.Typer) -> None:
    """Run a command line; what its output's encoding lacks is printed as escapes.

    An ASCII locale gets UTF-8, as Python itself does it for the C locale (PEP 540).
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            is_ascii = codecs.lookup(stream.encoding).name == "ascii"
            encoding = "utf-8" if is_ascii else stream.encoding
            stream.reconfigure(encoding=encoding, errors="backslashreplace")
    # A library's warning before the command's own error would say the same twice.
    configure_logs("ERROR")
    try:
        cli(prog_name=cli.info.name)
    except KeyboardInterrupt:
        sys.exit(EXIT_INTERRUPTED)
