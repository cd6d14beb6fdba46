"""Sessions with PostgreSQL: how to reach it, and what every session states.

What statements and driver rely on is stated by `SET` after connecting: poolers refuse startup
options.
"""

from typing import Any, ClassVar

import psycopg
from psycopg import sql
from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings

from runtime.errors import SettingsInvalid
from runtime.settings import CONFIG

#: Whatever server, database, role or environment say.
STATE_SESSION = sql.SQL("""
SET client_encoding = 'UTF8';
SET DateStyle = 'ISO, YMD';
SET IntervalStyle = 'postgres';
SET TimeZone = 'UTC';
SET standard_conforming_strings = on;
SET bytea_output = 'hex';
SET extra_float_digits = 1;
SET default_transaction_isolation = 'read committed';
SET search_path = public;
""")


class PostgresSettings(BaseSettings):
    """How to reach PostgreSQL."""

    model_config = CONFIG
    #: What the server shows as the session's program.
    program: ClassVar[str] = "coco-ingest"

    db_host: str = Field("localhost", description="host name, or the directory of a Unix socket")
    db_port: int = Field(5432, ge=1, le=65535, description="port")
    db_name: str = Field("postgres", description="database")
    db_user: str = Field("postgres", description="user; must own the tables to migrate them")
    db_password: SecretStr | None = Field(None, description="password")
    db_connect_timeout_seconds: int = Field(10, ge=1, le=120, description="longest time to connect")

    @property
    def conninfo(self) -> dict[str, Any]:
        """Return the connection parameters for psycopg."""
        parameters: dict[str, Any] = {
            "host": self.db_host,
            "port": self.db_port,
            "dbname": self.db_name,
            "user": self.db_user,
            "connect_timeout": self.db_connect_timeout_seconds,
            "application_name": self.program,
            # A server that vanishes without a word is given up within forty seconds.
            "keepalives_idle": 20,  # seconds, as the interval
            "keepalives_interval": 5,
            "keepalives_count": 3,
            "tcp_user_timeout": 30_000,  # milliseconds
        }
        if self.db_password:
            parameters["password"] = self.db_password.get_secret_value()
        return parameters


def connect(settings: PostgresSettings) -> psycopg.Connection[Any]:
    """Open a session that states what we rely on. Blocks.

    Raises:
        SettingsInvalid: the database cannot hold every text.
        psycopg.Error: the database does not answer.
    """
    connection = psycopg.connect(**settings.conninfo)
    try:
        check_encoding(connection.info, settings)
        connection.execute(STATE_SESSION)
        connection.commit()
    except BaseException:
        connection.close()
        raise
    return connection


def check_encoding(session: psycopg.ConnectionInfo, settings: PostgresSettings) -> None:
    """Raise SettingsInvalid for a database whose encoding cannot hold every text."""
    encoding = session.parameter_status("server_encoding")
    if encoding not in ("UTF8", None):
        name = settings.db_name
        raise SettingsInvalid(
            f"DB_NAME: {name} is encoded in {encoding}, which cannot hold every text; create the "
            f"database anew: CREATE DATABASE {name} ENCODING 'UTF8' TEMPLATE template0"
        )
