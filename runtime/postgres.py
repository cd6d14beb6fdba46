"""Sessions with PostgreSQL: how to reach it, and what every session states.

What statements and driver rely on is stated by `SET` after connecting: poolers refuse startup
options.
"""

from pathlib import Path
from typing import Any, ClassVar, Literal, Self

import psycopg
from psycopg import sql
from pydantic import Field, SecretStr, model_validator

from runtime.errors import ReportedError, SettingsInvalid
from runtime.settings import AwsSettings

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


# libpq's own (PostgreSQL manual, "SSL Support"); the last three refuse a server without TLS.
SslMode = Literal["disable", "allow", "prefer", "require", "verify-ca", "verify-full"]
_PROVEN_MODES = ("require", "verify-ca", "verify-full")


def read_password(path: Path) -> SecretStr:
    """Read a password from its file, without the line's end; raises ValueError. Blocks."""
    try:
        password = path.read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        reason = f"DB_PASSWORD_FILE cannot be read: {error}; correct its path or permissions"
        raise ValueError(reason) from error
    if not password:
        raise ValueError(f"DB_PASSWORD_FILE {path} is empty; write the password into it")
    return SecretStr(password)


class PostgresSettings(AwsSettings):
    """How to reach PostgreSQL; AWS is asked for its password with DB_AUTH=iam only."""

    #: What the server shows as the session's program.
    program: ClassVar[str] = "coco-ingest"

    db_host: str = Field("localhost", description="host name, or the directory of a Unix socket")
    db_port: int = Field(5432, ge=1, le=65535, description="port")
    db_name: str = Field("postgres", description="database")
    db_user: str = Field("postgres", description="user; must own the tables to migrate them")
    db_password: SecretStr | None = Field(None, description="password")
    db_password_file: Path | None = Field(
        None, description="file with the password, read anew for each connection"
    )
    db_auth: Literal["password", "iam"] = Field(
        "password", description="`iam`: an RDS token for each connection, from the AWS credentials"
    )
    db_sslmode: SslMode | None = Field(
        None,
        description="what TLS must prove; unset: `PGSSLMODE`, else `prefer`. RDS: `verify-full`",
    )
    db_sslrootcert: str | None = Field(
        None,
        description="file of the CAs that may sign the server's certificate, or `system`; unset: "
        "`PGSSLROOTCERT`. RDS: the region's CA bundle",
    )
    db_connect_timeout_seconds: int = Field(10, ge=1, le=120, description="longest time to connect")

    @property
    def conninfo(self) -> dict[str, Any]:
        """Return the connection parameters for psycopg, without what is read at each connection."""
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
        said = {"sslmode": self.db_sslmode, "sslrootcert": self.db_sslrootcert}
        return parameters | {name: value for name, value in said.items() if value}

    @model_validator(mode="after")
    def _check_database_password(self) -> Self:
        sources = {
            "DB_PASSWORD": self.db_password,
            "DB_PASSWORD_FILE": self.db_password_file,
            "DB_AUTH=iam": self.db_auth == "iam",
        }
        given = [name for name, value in sources.items() if value]
        if len(given) > 1:
            raise ValueError(f"{' and '.join(given)} are set; leave one of them")
        if self.db_password_file is not None:
            read_password(self.db_password_file)
        if self.db_auth == "iam" and self.db_sslmode not in _PROVEN_MODES:
            raise ValueError(
                "DB_AUTH=iam sends a token that must not be seen; set DB_SSLMODE=verify-full and "
                "DB_SSLROOTCERT"
            )
        return self


def connect(settings: PostgresSettings) -> psycopg.Connection[Any]:
    """Open a session that states what we rely on. Blocks.

    Raises:
        SettingsInvalid: the database cannot hold every text.
        psycopg.Error: the database does not answer.
    """
    connection = psycopg.connect(**parameters_now(settings))
    try:
        check_encoding(connection.info, settings)
        connection.execute(STATE_SESSION)
        connection.commit()
    except BaseException:
        connection.close()
        raise
    return connection


def parameters_now(settings: PostgresSettings) -> dict[str, Any]:
    """Return what to connect with now; a password from a file or from AWS is a new one each time.

    Blocks.

    Raises:
        psycopg.OperationalError: there is no password at the moment.
    """
    password = _password_now(settings)
    return settings.conninfo | ({"password": password} if password else {})


def _password_now(settings: PostgresSettings) -> str | None:
    try:
        if settings.db_auth == "iam":
            # AWS's SDK takes half a second of CPU to import, which nothing else here needs.
            from runtime.rds import database_token  # noqa: PLC0415

            host, port = settings.db_host, settings.db_port
            return database_token(settings, host, port, settings.db_user)
        if settings.db_password_file is not None:
            return read_password(settings.db_password_file).get_secret_value()
    except (ReportedError, ValueError) as error:
        # As if the server refused us: who waits for it waits for the password, too.
        raise psycopg.OperationalError(str(error)) from error
    return None


def check_encoding(session: psycopg.ConnectionInfo, settings: PostgresSettings) -> None:
    """Raise SettingsInvalid for a database whose encoding cannot hold every text."""
    encoding = session.parameter_status("server_encoding")
    if encoding not in ("UTF8", None):
        name = settings.db_name
        raise SettingsInvalid(
            f"DB_NAME: {name} is encoded in {encoding}, which cannot hold every text; create the "
            f"database anew: CREATE DATABASE {name} ENCODING 'UTF8' TEMPLATE template0"
        )
