"""Credentials that are not there, or not usable: a line that says what to do, in every program."""

from collections.abc import Mapping

import pytest

from tests.conftest import Lake
from tests.support.migrated import with_tables
from tests.support.programs import run

KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
NOTHING_ELSE = {
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_SHARED_CREDENTIALS_FILE": "/nowhere",
    "AWS_CONFIG_FILE": "/nowhere",
}
# What is set instead of the two keys, and what the line names.
WITHOUT: dict[str, tuple[Mapping[str, str], str]] = {
    "none": ({}, "AWS_ACCESS_KEY_ID"),
    "half a pair": ({"AWS_ACCESS_KEY_ID": "test"}, "only one of AWS_ACCESS_KEY_ID and"),
    "an endpoint that does not answer": (
        {"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1:1/credentials"},
        "127.0.0.1:1",
    ),
    "a token file that is not there": (
        {
            "AWS_ROLE_ARN": "arn:aws:iam::000000000000:role/any",
            "AWS_WEB_IDENTITY_TOKEN_FILE": "/nowhere/token",
        },
        "AWS_… variable that names it",
    ),
}
COMMANDS = {
    "consumer run": ["consumer", "run", "--until-idle", "1"],
    "consumer status": ["consumer", "status"],
    "consumer dlq list": ["consumer", "dlq", "list"],
    "producer publish": ["producer", "publish", "--prefix", "raw/", "--dry-run"],
    "producer init-lake": ["producer", "init-lake"],
    "producer pull": ["producer", "pull", "--from", "2024-01-02", "--store", "1"],
}


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("missing", WITHOUT)
def test_credentials_that_cannot_be_used_end_every_command_with_one_line(
    environment: dict[str, str], lake: Lake, missing: str, command: str
) -> None:
    instead, named = WITHOUT[missing]
    own = {name: value for name, value in environment.items() if name not in KEYS}
    if command == "consumer run":
        with_tables(environment)
    ended = run(*COMMANDS[command], environment={**own, **NOTHING_ELSE, **instead})
    assert ended.returncode in (1, 2), ended.stderr
    assert "Traceback" not in ended.stderr
    lines = [*ended.stdout.splitlines(), *ended.stderr.splitlines()]
    assert any(named in line for line in lines), lines
    if not lines[0].startswith("Stopped early: "):
        assert len([line for line in lines if line.startswith("error: ")]) == 1
