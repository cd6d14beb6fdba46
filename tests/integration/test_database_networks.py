"""PostgreSQL behind TLS with a private CA, and at an IPv6 address."""

import asyncio
import os
from pathlib import Path

import pytest

from devstack.environment import command_environment
from tests.conftest import Lake
from tests.support.consuming import ledger, put_checks
from tests.support.postgres_tls import postgres_at
from tests.support.programs import run
from tests.support.tls import Authority, make_authority


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    made = make_authority(tmp_path_factory.mktemp("tls"))
    made.client_file.chmod(0o600)  # libpq refuses keys that others may read
    return made


def trusting(authority: Authority, *, as_client: bool = True) -> dict[str, str]:
    """Return the variables of docs/networks.md."""
    variables = {"PGSSLMODE": "verify-full", "PGSSLROOTCERT": str(authority.ca_file)}
    if as_client:
        own = str(authority.client_file)
        variables |= {"PGSSLCERT": own, "PGSSLKEY": own}
    return variables


async def consumer(*arguments: str, environment: dict[str, str]) -> tuple[int, str]:
    """Run a command beside the server; return its exit code and what it wrote to stderr."""
    result = await asyncio.to_thread(run, "consumer", *arguments, environment=environment)
    return result.returncode, result.stderr


@pytest.mark.parametrize(
    ("host", "tls"), [("127.0.0.1", True), ("::1", False)], ids=["tls", "ipv6"]
)
async def test_documents_load_over_tls_with_a_private_ca_and_over_ipv6(
    environment: dict[str, str], lake: Lake, authority: Authority, host: str, *, tls: bool
) -> None:
    """The server with TLS insists on a client certificate, too."""
    put_checks(lake, range(1))
    context = authority.server_context(host, ask_client=True) if tls else None
    async with postgres_at(host, environment, context) as variables:
        over = variables | (trusting(authority) if tls else {})
        assert (0, "") == await consumer("migrate", environment=over)
        code, log = await consumer("run", "--until-idle", "1", environment=over)
    assert code == 0, log
    assert ledger(environment) == [("raw/erp/0.json", "loaded", None)]


REFUSALS = {
    "another CA": "certificate verify failed",
    "no CA file": "does not exist",
    "another host": "does not match host name",
    "no TLS": "server does not support SSL",
}


@pytest.mark.parametrize("fault", REFUSALS)
async def test_a_server_that_cannot_be_trusted_is_refused_with_its_reason(
    database: dict[str, str], authority: Authority, tmp_path: Path, fault: str
) -> None:
    """In one message and without a traceback."""
    name = "10.0.0.1" if fault == "another host" else "127.0.0.1"
    context = None if fault == "no TLS" else authority.server_context(name)
    variables = trusting(authority, as_client=False)
    if fault == "another CA":
        variables = trusting(make_authority(tmp_path), as_client=False)
    elif fault == "no CA file":
        variables["PGSSLROOTCERT"] = str(tmp_path / "away.pem")
    async with postgres_at("127.0.0.1", database, context) as there:
        environment = command_environment(os.environ, there | variables)
        code, told = await consumer("migrate", environment=environment)
    assert code == 1
    assert told.startswith("error: migration failed")
    assert REFUSALS[fault] in told
    assert "Traceback" not in told
