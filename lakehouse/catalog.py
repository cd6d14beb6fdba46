"""The Iceberg catalogue: which tables there are, where their metadata lies, how one is made."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import date
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError
from pyiceberg.catalog import Catalog, load_catalog
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.exceptions import (
    NamespaceAlreadyExistsError,
    NoSuchTableError,
    RESTError,
    TableAlreadyExistsError,
)
from pyiceberg.partitioning import PartitionField, PartitionSpec
from pyiceberg.table import Table
from pyiceberg.transforms import IdentityTransform
from sqlalchemy import URL, event
from sqlalchemy.exc import SQLAlchemyError

from lakehouse.columns import Column, evolve, schema_of
from lakehouse.errors import Conflict, LakehouseError
from lakehouse.settings import LakehouseSettings
from lakehouse.tables import BUSINESS_DAY, TABLES
from runtime.postgres import parameters_now

#: What a catalogue that cannot be used raises.
CATALOG_ERRORS = (SQLAlchemyError, RESTError, ClientError, BotoCoreError, OSError)

# With pyiceberg's own retries, two overlapping first exports both commit, and rows are doubled: a
# conflict begins the batch again. Metadata files go once a hundred newer ones are there.
TABLE_PROPERTIES = {
    "commit.retry.num-retries": "0",
    "commit.manifest-merge.enabled": "true",
    "commit.manifest.min-count-to-merge": "20",
    "write.parquet.compression-codec": "zstd",
    "write.metadata.delete-after-commit.enabled": "true",
    "write.metadata.previous-versions-max": "100",
}


class Tables:
    """The Iceberg tables of the lakehouse, in one namespace of a catalogue."""

    def __init__(self, catalog: Catalog, namespace: str, root: str) -> None:
        self._catalog = catalog
        self._namespace = namespace
        self.root = root

    def close(self) -> None:
        """Close the catalogue's connections."""
        self._catalog.close()

    def make(self) -> None:
        """Make the namespace, unless it is there."""
        with suppress(NamespaceAlreadyExistsError):
            self._catalog.create_namespace(self._namespace)

    def load(self, name: str) -> Table | None:
        """Return a table as it is now, None if there is none."""
        try:
            return self._catalog.load_table((self._namespace, name))
        except NoSuchTableError:
            return None

    def follow(self, columns: Mapping[str, Sequence[Column]]) -> dict[str, Table]:
        """Return all tables, made or changed so that they have PostgreSQL's columns.

        Raises:
            Conflict: somebody else changes a table at the same moment.
            LakehouseError: a column cannot be followed.
        """
        tables = {}
        for name, wanted in columns.items():
            table = self.load(name) or self._create(name, wanted)
            if evolve(name, table, wanted):
                table = table.refresh()
            tables[name] = table
        return tables

    def exported_days(self) -> list[tuple[str, date | None]]:
        """Return topic and day of every partition there is."""
        days: set[tuple[str, date | None]] = set()
        for name, about in TABLES.items():
            table = self.load(name) if about.day is not None else None
            if table is not None and table.current_snapshot() is not None:
                for partition in table.inspect.partitions().column("partition").to_pylist():
                    days.add((about.topic, partition[BUSINESS_DAY]))
        return list(days)

    def _create(self, name: str, columns: Sequence[Column]) -> Table:
        schema = schema_of(name, columns)
        fields = [
            PartitionField(field.field_id, 1000, IdentityTransform(), BUSINESS_DAY)
            for field in schema.fields
            if TABLES[name].day is not None and field.name == BUSINESS_DAY
        ]
        try:
            return self._catalog.create_table(
                (self._namespace, name),
                schema,
                location=f"{self.root}/{name}",
                partition_spec=PartitionSpec(*fields),
                properties=TABLE_PROPERTIES,
            )
        except TableAlreadyExistsError as error:
            raise Conflict from error


def open_tables(settings: LakehouseSettings, *, make: bool = False) -> Tables:
    """Open the catalogue that the settings name; `make` also makes what it is kept in.

    Raises:
        LakehouseError: it cannot be used.
    """
    root = f"s3://{settings.bucket_name}/processed"
    try:
        catalog = load_catalog("coco", **_properties(settings, root, make=make))
        if isinstance(catalog, SqlCatalog):
            _renew_password(catalog, settings)
        tables = Tables(catalog, settings.lakehouse_namespace, root)
        if make:
            tables.make()
    except CATALOG_ERRORS as error:
        raise unusable(settings, error) from error
    return tables


def unusable(settings: LakehouseSettings, error: BaseException) -> LakehouseError:
    """Return the error that names the catalogue, or the lake, and what it said."""
    told = str(getattr(error, "orig", error)).partition("\n")[0][:300]
    return LakehouseError(
        f"the catalogue ({settings.lakehouse_catalog}) or the lake ({settings.bucket_name}) "
        f"cannot be used: {told}"
    )


def _properties(settings: LakehouseSettings, root: str, *, make: bool) -> dict[str, str]:
    own: dict[str, str | None] = {"warehouse": root, **_s3(settings)}
    if settings.catalog_uri is not None:
        token = settings.lakehouse_catalog_token
        own |= {
            "type": "rest",
            "uri": settings.catalog_uri,
            "token": token.get_secret_value() if token else None,
            "warehouse": settings.lakehouse_catalog_warehouse or root,
        }
    elif settings.lakehouse_catalog == "glue":
        own |= {"type": "glue", **_glue(settings)}
    else:
        own |= {
            "type": "sql",
            "uri": database_uri(settings),
            "init_catalog_tables": str(make).lower(),
        }
    return {name: value for name, value in own.items() if value is not None}


def _s3(settings: LakehouseSettings) -> dict[str, str | None]:
    """Return how Arrow reaches S3; what is not set is left to its SDK (profiles, roles)."""
    secret, token = settings.aws_secret_access_key, settings.aws_session_token
    return {
        "s3.endpoint": settings.aws_endpoint_url,
        "s3.region": region_of(settings),
        "s3.access-key-id": settings.aws_access_key_id,
        "s3.secret-access-key": secret.get_secret_value() if secret else None,
        "s3.session-token": token.get_secret_value() if token else None,
        "s3.connect-timeout": "10",
        "s3.request-timeout": "60",
    }


def _glue(settings: LakehouseSettings) -> dict[str, str | None]:
    secret, token = settings.aws_secret_access_key, settings.aws_session_token
    return {
        "glue.region": region_of(settings),
        "glue.access-key-id": settings.aws_access_key_id,
        "glue.secret-access-key": secret.get_secret_value() if secret else None,
        "glue.session-token": token.get_secret_value() if token else None,
    }


def region_of(settings: LakehouseSettings) -> str:
    """Return the region of the settings, else that of AWS_PROFILE, else us-east-1."""
    return settings.aws_region or boto3.Session().region_name or "us-east-1"


def _renew_password(catalog: SqlCatalog, settings: LakehouseSettings) -> None:
    """Have each new connection use the password of the moment: a token is good for 15 minutes."""

    def connecting(_dialect: Any, _record: Any, _arguments: Any, named: dict[str, Any]) -> None:
        named |= {k: v for k, v in parameters_now(settings).items() if k == "password"}

    event.listen(catalog.engine, "do_connect", connecting)


def database_uri(settings: LakehouseSettings) -> str:
    """Return SQLAlchemy's address of the database."""
    info = parameters_now(settings)
    # A socket's directory is no host name that a URL could hold.
    beside = ("host", "port", "application_name", "connect_timeout", "sslmode", "sslrootcert")
    return URL.create(
        "postgresql+psycopg",
        username=info["user"],
        password=info.get("password"),
        database=info["dbname"],
        query={name: str(info[name]) for name in beside if name in info},
    ).render_as_string(hide_password=False)
