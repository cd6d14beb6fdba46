"""Passwords that change while the program runs: from a file, or as RDS tokens."""

from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest

from consumer.errors import DatabaseUnavailable
from consumer.load.database import open_pool, open_session, ping
from consumer.load.migrations.migrate import migrate
from consumer.load.sessions import connect
from consumer.settings import DatabaseSettings
from tests.support.postgres_tls import postgres_at
from tests.support.tls import make_authority
from tests.support.warehouse import database_settings


def with_file(variables: dict[str, str], path: Path, **others: Any) -> DatabaseSettings:
    fields = {name.lower(): value for name, value in variables.items() if name != "DB_PASSWORD"}
    return DatabaseSettings.model_validate(fields | {"db_password_file": path} | others)


async def test_a_password_that_is_rotated_needs_no_restart(
    database: dict[str, str], tmp_path: Path
) -> None:
    """The pool's next session has the new one; between the two, the database counts as away."""
    migrate(database_settings(database))
    accepted, path = ["old"], tmp_path / "password"
    path.write_text("old\n", encoding="utf-8")
    async with postgres_at("127.0.0.1", database, accepts=lambda sent: sent == accepted[0]) as at:
        settings = with_file(at, path, db_sslmode="disable")
        async with open_pool(settings, 1) as pool:
            await ping(pool)
            accepted[0] = "new"
            with pytest.raises(DatabaseUnavailable, match="password authentication failed"):
                async with open_session(settings):
                    pass
            path.write_text("new\n", encoding="utf-8")
            async with pool.connection() as session:
                await session.close()
            await ping(pool)
        path.unlink()
        with pytest.raises(DatabaseUnavailable, match="DB_PASSWORD_FILE cannot be read"):
            async with open_session(settings):
                pass


async def test_each_connection_to_rds_has_a_token_of_its_own_and_proves_the_server(
    database: dict[str, str], tmp_path: Path
) -> None:
    authority, sent = make_authority(tmp_path), list[str]()
    context = authority.server_context("127.0.0.1")

    def accepts(password: str) -> bool:
        sent.append(password)
        return True

    async with postgres_at("127.0.0.1", database, context, accepts) as at:
        settings = DatabaseSettings.model_validate(
            {name.lower(): value for name, value in at.items() if name != "DB_PASSWORD"}
            | {"db_auth": "iam", "db_sslmode": "verify-full"}
            | {"db_sslrootcert": str(authority.ca_file), "aws_region": "sa-east-1"}
            | {"aws_access_key_id": "key", "aws_secret_access_key": "secret"}
        )
        for _ in range(2):
            async with open_session(settings) as session:
                assert session.pgconn.ssl_in_use
        port = at["DB_PORT"]
    assert 2 == len(sent)
    for token in sent:
        place, _, query = token.partition("/?")
        told = parse_qs(query)
        assert f"127.0.0.1:{port}" == place
        assert (["connect"], [database["DB_USER"]]) == (told["Action"], told["DBUser"])
        assert "/sa-east-1/rds-db/" in told["X-Amz-Credential"][0]


def test_commands_that_wait_read_the_password_too(database: dict[str, str], tmp_path: Path) -> None:
    path = tmp_path / "password"
    path.write_text("any", encoding="utf-8")
    connect(with_file(database, path)).close()
    settings = with_file(database, path)
    path.unlink()
    with pytest.raises(DatabaseUnavailable, match="DB_PASSWORD_FILE cannot be read"):
        migrate(settings)
