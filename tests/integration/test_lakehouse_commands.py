"""The commands of `lakehouse` on the lake in S3, and engines that read what they exported."""

import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
import structlog
from pyiceberg.table import StaticTable
from typer.testing import CliRunner

from consumer.load.migrations.migrate import migrate
from consumer.settings import DatabaseSettings
from lakehouse import app
from lakehouse.cli import cli
from lakehouse.lake import Latest
from lakehouse.settings import LakehouseSettings
from runtime.logs import configure_logs
from tests.conftest import Lake
from tests.support.programs import query, until

GUIDE = (Path(__file__).parents[2] / "docs" / "lakehouse.md").read_text(encoding="utf-8")
PUT = "INSERT INTO guest_checks (store_id, guest_check_id, opn_bus_dt, as_of, object_id, sub_ttl) SELECT 's', n, '2024-01-01', now(), 1, 10.25 FROM generate_series({}, {}) AS n RETURNING 1"


def snippet(word: str) -> str:
    """Return the one code block of the guide whose first line names an engine."""
    [found] = re.findall(rf"```python\n(# {word}.*?)```", GUIDE, re.DOTALL)
    return str(found)


@pytest.fixture
def settings(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[LakehouseSettings]:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    configure_logs("ERROR")  # as the program does, to stderr
    yield LakehouseSettings()
    structlog.reset_defaults()


def run(*arguments: str, code: int = 0) -> str:
    result = CliRunner().invoke(cli, arguments)
    assert isinstance(result.exception, SystemExit | None), result.exception
    assert code == result.exit_code, result.output
    return result.output if code else result.stdout


def test_the_commands_from_init_to_disable(
    settings: LakehouseSettings, environment: dict[str, str], lake: Lake
) -> None:
    assert "run `consumer migrate` first" in run("init", code=1)
    migrate(DatabaseSettings())
    assert "run `lakehouse init` first" in run("export", code=1)
    query(environment, PUT.format(1, 3))
    assert "all days are queued" in run("init")
    assert "nothing to do" in run("init")
    done = json.loads(run("export", "--json"))
    assert (3 + 1, True) == (done["rows"], done["complete"])
    assert "nothing changed" in run("export")
    told = json.loads(run("status", "--json"))
    assert (True, [], done["export_id"]) == (
        told["noted"],
        told["queued"],
        told["latest"]["export_id"],
    )
    assert {"table": "guest_checks", "exists": True, "rows": 3, "files": 1} == {
        name: value for name, value in told["tables"][0].items() if name != "bytes"
    }
    assert "4 rows of 1 days compared\n" == run("verify")
    read_by_engines(settings, lake)
    query(environment, PUT.format(4, 4))
    assert "1 queued days were not compared" in run("verify")
    assert 0 == json.loads(run("clean", "--dry-run", "--json"))["objects"]
    lake.s3.put_object(Bucket=lake.bucket, Key="processed/latest.json", Body=b"[]")
    assert "latest.json is not what we write" in run("export", code=1)
    assert "changes are not noted any more" in run("disable")
    assert "nothing to do" in run("disable")
    assert "is after" in run("export", "--from", "2024-01-02", "--to", "2024-01-01", code=2)


def read_by_engines(settings: LakehouseSettings, lake: Lake) -> None:
    """Run the guide's snippets: the revenue is that of PostgreSQL's own view."""
    body = lake.s3.get_object(Bucket=lake.bucket, Key="processed/latest.json")["Body"].read()
    location = Latest.read(body.decode()).tables["daily_revenue"].metadata_location
    secret = settings.aws_secret_access_key
    assert secret is not None
    endpoint = (settings.aws_endpoint_url or "").removeprefix("http://")
    names: dict[str, Any] = {
        "metadata_location": location,
        "s3_properties": {
            "s3.endpoint": settings.aws_endpoint_url,
            "s3.access-key-id": settings.aws_access_key_id,
            "s3.secret-access-key": secret.get_secret_value(),
            "s3.region": settings.aws_region,
        },
        "extension_files": [extension(name) for name in ("avro", "httpfs", "iceberg")],
        "create_secret": f"CREATE SECRET (TYPE s3, KEY_ID '{settings.aws_access_key_id}', SECRET "
        f"'{secret.get_secret_value()}', ENDPOINT '{endpoint}', URL_STYLE 'path', USE_SSL false)",
    }
    for engine in ("pyiceberg", "DuckDB"):
        read = dict(names)
        exec(snippet(engine), read)  # noqa: S102 - the guide's own
        assert Decimal("30.75") == read["revenue"], engine
    assert StaticTable.from_metadata(location, names["s3_properties"]).metadata.format_version == 2


def extension(name: str) -> str:
    [path] = Path(str(files(f"duckdb_extension_{name}"))).rglob(f"{name}.duckdb_extension")
    return str(path)


def test_the_daemon_exports_and_stops_when_told(
    settings: LakehouseSettings, environment: dict[str, str]
) -> None:
    migrate(DatabaseSettings())
    app.init(settings)
    query(environment, PUT.format(1, 1))
    command = [sys.executable, "-m", "lakehouse", "run", "--every", "1s"]
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as daemon:
        until(lambda: [] == query(environment, "SELECT FROM lakehouse_changes"), "an export")
        daemon.send_signal(signal.SIGTERM)
        _, errors = daemon.communicate(timeout=60)
    assert 0 == daemon.returncode, errors
    assert "round_ended" in errors


def test_a_catalogue_that_is_not_there_ends_a_command_with_one_line(
    settings: LakehouseSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    migrate(DatabaseSettings())
    monkeypatch.setenv("LAKEHOUSE_CATALOG", "http://127.0.0.1:9/catalog")
    told = run("init", code=1)
    assert "the catalogue (http://127.0.0.1:9/catalog) or the lake" in told
    monkeypatch.setenv("LAKEHOUSE_CATALOG", "hive")
    assert "LAKEHOUSE_CATALOG" in run("init", code=2)
