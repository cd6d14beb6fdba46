"""An analyst at the end of the tour: DuckDB reads the Iceberg copy, and nothing of PostgreSQL."""

from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

import duckdb

from devstack.demo.programs import Programs
from devstack.demo.warehouse import Rows, read_json

#: Without internet, DuckDB's extensions come from PyPI.
_EXTENSIONS = ("avro", "httpfs", "iceberg")

QUERY = """
    SELECT store_id, count(*), sum(checks), sum(guests), sum(net), sum(tax), sum(discounts)
    FROM daily_revenue
    GROUP BY store_id
    ORDER BY store_id
"""


def revenue_of_copy(programs: Programs, environment: Mapping[str, str]) -> Rows:
    """Have the tables copied; return what `warehouse.revenue_by_store` does, as the copy has it."""
    programs.show("lakehouse", "init")
    programs.show("lakehouse", "export")
    latest = read_json(environment, "processed/latest.json")
    location = latest["tables"]["daily_revenue"]["metadata_location"]
    with duckdb.connect() as connection:
        for name in _EXTENSIONS:
            connection.load_extension(_extension(name))
        connection.execute(_secret(environment))
        connection.execute(f"CREATE VIEW daily_revenue AS FROM iceberg_scan('{location}')")
        return connection.execute(QUERY).fetchall()


def _extension(name: str) -> str:
    [path] = Path(str(files(f"duckdb_extension_{name}"))).rglob(f"{name}.duckdb_extension")
    return str(path)


def _secret(environment: Mapping[str, str]) -> str:
    told: dict[str, Any] = {
        "KEY_ID": environment["AWS_ACCESS_KEY_ID"],
        "SECRET": environment["AWS_SECRET_ACCESS_KEY"],
        "REGION": environment["AWS_REGION"],
        "ENDPOINT": environment["AWS_ENDPOINT_URL"].removeprefix("http://"),
        "URL_STYLE": "path",
    }
    parts = ", ".join(f"{name} '{value}'" for name, value in told.items())
    return f"CREATE SECRET (TYPE s3, USE_SSL false, {parts})"
