"""The snippets of docs/lakehouse.md, and the names that they take for given."""

import re
from importlib.resources import files
from pathlib import Path
from typing import Any

from lakehouse.lake import LATEST_KEY, Latest
from lakehouse.settings import LakehouseSettings
from tests.conftest import Lake

GUIDE = (Path(__file__).parents[2] / "docs" / "lakehouse.md").read_text(encoding="utf-8")
#: Adds up to a revenue of 10.25 a check.
PUT_CHECKS = "INSERT INTO guest_checks (store_id, guest_check_id, opn_bus_dt, as_of, object_id, sub_ttl) SELECT 's', n, '2024-01-01', now(), 1, 10.25 FROM generate_series({}, {}) AS n RETURNING 1"


def snippet(engine: str) -> str:
    """Return the one block of Python whose first line names an engine."""
    [found] = re.findall(rf"```python\n(# {engine}\b.*?)```", GUIDE, re.DOTALL)
    return str(found)


def given_names(settings: LakehouseSettings, lake: Lake) -> dict[str, Any]:
    """Return what the text around the snippets speaks of."""
    body = lake.s3.get_object(Bucket=lake.bucket, Key=LATEST_KEY)["Body"].read()
    secret = settings.aws_secret_access_key
    assert secret is not None
    endpoint = (settings.aws_endpoint_url or "").removeprefix("http://")
    return {
        "metadata_location": Latest.read(body.decode()).tables["daily_revenue"].metadata_location,
        "s3_properties": {
            "s3.endpoint": settings.aws_endpoint_url,
            "s3.access-key-id": settings.aws_access_key_id,
            "s3.secret-access-key": secret.get_secret_value(),
            "s3.region": settings.aws_region,
        },
        "extension_files": [_extension(name) for name in ("avro", "httpfs", "iceberg")],
        "create_secret": f"CREATE SECRET (TYPE s3, KEY_ID '{settings.aws_access_key_id}', SECRET "
        f"'{secret.get_secret_value()}', ENDPOINT '{endpoint}', URL_STYLE 'path', USE_SSL false)",
    }


def _extension(name: str) -> str:
    [path] = Path(str(files(f"duckdb_extension_{name}"))).rglob(f"{name}.duckdb_extension")
    return str(path)
