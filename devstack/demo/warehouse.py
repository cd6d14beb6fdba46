"""What the tour reads from the warehouse and the lake: counts, the ledger, an error log."""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

import boto3
import psycopg

from schemas.registry import STORE_DAY_LISTS

TABLES = (
    *("guest_checks", "taxes", "detail_lines", "menu_items"),
    *(source.entry.table for source in STORE_DAY_LISTS),
    *("ingested_objects", "schema_drift"),
)

Connection = psycopg.Connection[tuple[Any, ...]]
Rows = list[tuple[Any, ...]]

_REVENUE = """
    SELECT store_id, count(*), sum(checks), sum(guests), sum(net), sum(tax), sum(discounts)
    FROM v_daily_revenue
    GROUP BY store_id
    ORDER BY store_id
"""
_OBJECTS = """
    SELECT source, state, coalesce(error_code, ''), count(*), sum(records), sum(quarantined)
    FROM ingested_objects
    GROUP BY source, state, coalesce(error_code, '')
    ORDER BY source, state
"""
_VERSIONS = """
    SELECT state, coalesce(error_code, ''), coalesce(error_log_key, '')
    FROM ingested_objects
    WHERE object_key = %s
    ORDER BY object_id
"""


class ObjectVersion(NamedTuple):
    """One version of an object in the ledger."""

    state: str
    error_code: str
    error_log_key: str


def connect(environment: Mapping[str, str]) -> Connection:
    """Connect as the programs do.

    Raises:
        psycopg.OperationalError: the server does not answer.
    """
    return psycopg.connect(
        host=environment["DB_HOST"],
        port=environment["DB_PORT"],
        dbname=environment["DB_NAME"],
        user=environment["DB_USER"],
        password=environment["DB_PASSWORD"],
        client_encoding="UTF8",
        autocommit=True,
    )


def row_counts(connection: Connection) -> Rows:
    """Return (table, rows) for every table."""
    query = " UNION ALL ".join(f"SELECT '{table}', count(*) FROM {table}" for table in TABLES)  # noqa: S608 - names from this module
    return connection.execute(query.encode()).fetchall()


def revenue_by_store(connection: Connection) -> Rows:
    """Return (store, days, checks, guests, net, tax, discounts)."""
    return connection.execute(_REVENUE).fetchall()


def objects_by_state(connection: Connection) -> Rows:
    """Return (source, state, error code, objects, records, quarantined records)."""
    return connection.execute(_OBJECTS).fetchall()


def nameless_count(connection: Connection, store_id: str) -> int:
    """Return how many checks of a store have no employee."""
    query = "SELECT count(*) FROM guest_checks WHERE store_id = %s AND emp_num IS NULL"
    row = connection.execute(query, (store_id,)).fetchone()
    return row[0] if row else 0


def settled_count(connection: Connection) -> int:
    """Return how many object versions have reached their end state."""
    row = connection.execute("SELECT count(*) FROM ingested_objects").fetchone()
    return row[0] if row else 0


def versions_of(connection: Connection, key: str) -> list[ObjectVersion]:
    """Return the ledger's rows for one key, oldest first."""
    return [ObjectVersion(*row) for row in connection.execute(_VERSIONS, (key,))]


def read_json(environment: Mapping[str, str], key: str) -> Any:
    """Return a JSON object of the lake, decoded.

    Raises:
        botocore.exceptions.ClientError: there is no such object.
    """
    s3 = _client(environment, "s3")
    return json.load(s3.get_object(Bucket=environment["BUCKET_NAME"], Key=key)["Body"])


def dead_lettered_count(environment: Mapping[str, str]) -> int:
    """Return how many messages the dead-letter queue holds, in flight or not."""
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    answer = _client(environment, "sqs").get_queue_attributes(
        QueueUrl=environment["DLQ_URL"], AttributeNames=names
    )
    return sum(int(value) for value in answer["Attributes"].values())


def _client(environment: Mapping[str, str], service: str) -> Any:
    session = boto3.Session(
        environment["AWS_ACCESS_KEY_ID"],
        environment["AWS_SECRET_ACCESS_KEY"],
        region_name=environment["AWS_REGION"],
    )
    # The stub has one overload for each of AWS' services and none for a plain name.
    return session.client(service, endpoint_url=environment["AWS_ENDPOINT_URL"])  # type: ignore[call-overload]
