"""The database users of docs/deploy.md can do what they are for, and the guide is walked whole."""

import re
import secrets
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from psycopg import sql

from deploy.tests.guide import SECTIONS, commands, statements
from tests.conftest import Lake
from tests.support.consuming import CHECK, export, loaded, put
from tests.support.databases import conninfo
from tests.support.programs import run, succeed

USERS = "3. Users and tables"
OWN_NAMES = ("administrator", "rds_iam", "coco_owner", "coco")


@pytest.fixture
def names(database: dict[str, str]) -> Iterator[dict[str, str]]:
    """Give names of our own for what the guide names, and a database as RDS makes it."""
    ours = {name: f"{name}_{secrets.token_hex(4)}" for name in OWN_NAMES}
    with psycopg.connect(**conninfo(database), autocommit=True) as superuser:

        def execute(statement: str) -> None:
            own = {name: sql.Identifier(own) for name, own in ours.items()}
            own["database"] = sql.Identifier(database["DB_NAME"])
            superuser.execute(sql.SQL(statement).format(**own))  # type: ignore[arg-type]  # ours

        execute("CREATE ROLE {administrator} LOGIN CREATEROLE CREATEDB")
        execute("CREATE ROLE {rds_iam}")
        execute("GRANT {rds_iam} TO {administrator} WITH ADMIN OPTION")
        execute("ALTER DATABASE {database} OWNER TO {administrator}")
        yield ours
        execute("ALTER DATABASE {database} OWNER TO CURRENT_USER")
        for name in ("coco", "coco_owner", "administrator", "rds_iam"):
            execute(f"DROP OWNED BY {{{name}}}")
            execute(f"DROP ROLE {{{name}}}")


def as_(database: dict[str, str], user: str) -> dict[str, Any]:
    return conninfo(database) | {"user": user}


def test_the_users_of_the_guide_can_migrate_and_load_and_no_more(
    environment: dict[str, str], lake: Lake, database: dict[str, str], names: dict[str, str]
) -> None:
    """By an administrator who is no superuser, as on RDS."""
    with psycopg.connect(**as_(database, names["administrator"]), autocommit=True) as session:
        for statement in statements(USERS):
            own = statement.replace("DATABASE coco ", f"DATABASE {database['DB_NAME']} ")
            for name in ("rds_iam", "coco_owner", "coco"):
                own = re.sub(rf"\b{name}\b", names[name], own)
            session.execute(own.encode())
    loading = environment | {"DB_USER": names["coco"]}
    refused = run("consumer", "migrate", environment=loading)
    assert (1, True) == (refused.returncode, "permission denied" in refused.stderr)
    succeed("consumer", "migrate", environment=environment | {"DB_USER": names["coco_owner"]})
    put(lake, "raw/erp/good.json", export(CHECK))
    put(lake, "raw/erp/bad.json", b"{")
    succeed("consumer", "run", "--until-idle", "1", environment=loading)
    assert 2 == loaded(environment)
    with (
        psycopg.connect(**as_(database, names["coco"])) as session,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        session.execute("DROP TABLE taxes")


def test_every_command_of_the_guide_is_run_by_a_test() -> None:
    """By `deploy/tests/test_guide.py` on moto and `test_lake_applied.py` on LocalStack."""
    assert [name for name in SECTIONS if commands(name)] == [
        "2. Lake, service, database",
        "3. Users and tables",
        "4. Does it work?",
        "Upgrades and rollback",
    ]
