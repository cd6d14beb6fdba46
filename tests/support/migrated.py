"""Databases with this release's tables, copied from one that was migrated once for each server.

Migrating anew costs a second of CPU for each test, as a program three.
"""

import secrets
from collections.abc import Mapping

import psycopg
from psycopg import sql

from consumer.load.migrations.migrate import migrate
from consumer.settings import DatabaseSettings
from tests.support.databases import conninfo

_UNTOUCHED = """
    SELECT to_regclass('public.alembic_version') IS NULL AND NOT EXISTS (
        SELECT FROM pg_db_role_setting AS s JOIN pg_database AS d ON d.oid = s.setdatabase
        WHERE d.datname = current_database()
    )
"""
_templates: dict[str, str] = {}  # by the server's address


def with_tables(variables: Mapping[str, str]) -> None:
    """Do what `consumer migrate` would do to a database; an empty one becomes a copy."""
    with psycopg.connect(**conninfo(variables)) as connection:
        untouched = connection.execute(_UNTOUCHED).fetchone()
    settings = {name.lower(): value for name, value in variables.items() if name.startswith("DB_")}
    if untouched != (True,):
        migrate(DatabaseSettings.model_validate(settings))
        return
    server = {**conninfo(variables), "dbname": "postgres"}
    with psycopg.connect(**server, autocommit=True) as connection:
        template = sql.Identifier(_template(connection, settings))
        name = sql.Identifier(variables["DB_NAME"])
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))
        connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(name, template))


def _template(server: "psycopg.Connection[tuple[object, ...]]", settings: Mapping[str, str]) -> str:
    address = f"{settings['db_host']}:{settings['db_port']}"
    if address not in _templates:
        name = f"template_{secrets.token_hex(6)}"
        server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        migrate(DatabaseSettings.model_validate({**settings, "db_name": name}))
        _templates[address] = name
    return _templates[address]
