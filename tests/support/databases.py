"""Databases as the DB_* variables name them, reached with nothing of the consumer's."""

import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import sql


def conninfo(variables: Mapping[str, str]) -> dict[str, Any]:
    """Return psycopg's parameters for the database that DB_* variables name."""
    return {
        "host": variables["DB_HOST"],
        "port": int(variables["DB_PORT"]),
        "dbname": variables["DB_NAME"],
        "user": variables["DB_USER"],
        "password": variables["DB_PASSWORD"],
    }


def execute(variables: Mapping[str, str], *statements: str) -> None:
    """Run statements, each a transaction of its own."""
    with psycopg.connect(**conninfo(variables), autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())


@contextmanager
def own_database(server: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """Give the DB_* variables of an empty database on a server, for a whole module of tests."""
    variables = {name: value for name, value in server.items() if name.startswith("DB_")}
    name = f"test_{secrets.token_hex(6)}"
    with psycopg.connect(**conninfo(server), autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        yield {**variables, "DB_NAME": name}
        drop = sql.SQL("DROP DATABASE {} WITH (FORCE)")
        connection.execute(drop.format(sql.Identifier(name)))
