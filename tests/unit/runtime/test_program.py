"""A program's command line: every command is found where it is said to be."""

import pytest
import typer
from typer.testing import CliRunner

from consumer.cli import cli as consumer_cli
from producer.cli import cli as producer_cli
from runtime.program import program


@pytest.mark.parametrize("cli", [consumer_cli, producer_cli])
def test_help_lists_every_command_with_its_purpose(cli: object) -> None:
    """A command whose module or function is gone would end the help with an error."""
    shown = CliRunner().invoke(cli, ["--help"])
    assert shown.exit_code == 0
    assert all(name in shown.stdout for name in ("run", "Show this message"))


def test_a_command_may_be_added_to_those_that_are_imported() -> None:
    cli = program("try", "Try.", {"explain": "consumer.operate.explain:explain_command"})
    cli.command("now")(lambda: typer.echo("done"))
    assert CliRunner().invoke(cli, ["now"]).stdout == "done\n"
    assert CliRunner().invoke(cli, ["never"]).exit_code == 2
    assert CliRunner().invoke(cli, ["explain", "--help"]).exit_code == 0
