"""An analyst at the end of the tour: DuckDB reads the Iceberg copy, and nothing of PostgreSQL."""

from collections.abc import Mapping
from datetime import date, timedelta
from importlib.resources import files
from pathlib import Path

import duckdb

from devstack.demo.programs import Programs
from devstack.demo.warehouse import Connection, Rows, read_json

COLUMNS = ("store", "days", "checks", "guests", "net", "tax", "discounts")
#: Without internet, DuckDB's extensions come from PyPI.
_EXTENSIONS = ("avro", "httpfs", "iceberg")
_QUERY = """
    SELECT store_id, count(*), sum(checks), sum(guests), sum(net), sum(tax), sum(discounts)
    FROM {revenue}
    WHERE bus_dt BETWEEN '{first}' AND '{last}'
    GROUP BY store_id
    ORDER BY store_id
"""


def copy_and_compare(
    programs: Programs, environment: Mapping[str, str], connection: Connection, last: date
) -> tuple[Rows, Rows]:
    """Have a day and the one before copied; return what DuckDB has of them, and PostgreSQL."""
    first = last - timedelta(days=1)
    programs.show("lakehouse", "init")
    programs.show("lakehouse", "export", "--from", f"{first}", "--to", f"{last}")
    there = _read(environment, _QUERY.format(revenue="daily_revenue", first=first, last=last))
    query = _QUERY.format(revenue="v_daily_revenue", first=first, last=last)
    return sorted(there), sorted(connection.execute(query.encode()).fetchall())


def _read(environment: Mapping[str, str], query: str) -> Rows:
    latest = read_json(environment, "processed/latest.json")
    location = latest["tables"]["daily_revenue"]["metadata_location"]
    with duckdb.connect() as connection:
        for name in _EXTENSIONS:
            connection.load_extension(_extension(name))
        connection.execute(_secret(environment))
        connection.execute(f"CREATE VIEW daily_revenue AS FROM iceberg_scan('{location}')")
        return connection.execute(query).fetchall()


def _extension(name: str) -> str:
    [path] = Path(str(files(f"duckdb_extension_{name}"))).rglob(f"{name}.duckdb_extension")
    return str(path)


def _secret(environment: Mapping[str, str]) -> str:
    told = {
        "KEY_ID": environment["AWS_ACCESS_KEY_ID"],
        "SECRET": environment["AWS_SECRET_ACCESS_KEY"],
        "REGION": environment["AWS_REGION"],
        "ENDPOINT": environment["AWS_ENDPOINT_URL"].removeprefix("http://"),
        "URL_STYLE": "path",
    }
    parts = ", ".join(f"{name} '{value}'" for name, value in told.items())
    return f"CREATE SECRET (TYPE s3, USE_SSL false, {parts})"
