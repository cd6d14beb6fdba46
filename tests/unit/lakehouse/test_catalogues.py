"""Catalogues: tables are made, follow their columns, and notice a rival's commit.

Glue is moto's; the REST catalogue is a stand-in of ours for the server, as `rest_catalog.py` says.
PostgreSQL's is in `tests/integration`.
"""

from collections.abc import Iterator
from contextlib import ExitStack, closing
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from botocore.client import BaseClient
from moto import mock_aws
from pyiceberg.io.pyarrow import schema_to_pyarrow
from pyiceberg.table import Table

from deploy.policies import rendered
from deploy.policies.__main__ import SAMPLE
from lakehouse.catalog import Tables, open_tables
from lakehouse.columns import Column
from lakehouse.commits import Replacement, commit
from lakehouse.errors import Conflict, LakehouseError
from lakehouse.settings import LakehouseSettings
from tests.support.rest_catalog import rest_catalogue

DAY = date(2024, 1, 1)
COLUMNS = [Column("store_id", "text"), Column("tax_num", "bigint", "A tax code")]


def settings(catalogue: str, **more: str) -> LakehouseSettings:
    return LakehouseSettings(
        _env_file=None,
        bucket_name="lake",
        lakehouse_catalog=catalogue,
        aws_region="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
        **more,
    )


@pytest.fixture(params=["glue", "rest"])
def tables(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Tables]:
    """Give the tables of a catalogue; their files lie in a directory."""
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with ExitStack() as stack:
        if request.param == "glue":
            stack.enter_context(mock_aws())
            chosen = settings("glue")
        else:
            address = stack.enter_context(rest_catalogue(tmp_path, "secret"))
            chosen = settings(address, lakehouse_catalog_token="secret")
        opened = stack.enter_context(closing(open_tables(chosen, make=True)))
        opened.root = f"file://{tmp_path}"
        yield opened


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Give the actions that programs of this process ask of Glue."""
    found: set[str] = set()
    call = BaseClient._make_api_call

    def counting(self: Any, operation_name: str, api_params: Any) -> Any:
        if self.meta.service_model.service_name == "glue":
            found.add(f"glue:{operation_name}")
        return call(self, operation_name, api_params)

    monkeypatch.setattr(BaseClient, "_make_api_call", counting)
    return found


def test_a_rest_catalogue_that_refuses_the_token_is_named(tmp_path: Path) -> None:
    with (
        rest_catalogue(tmp_path, "secret") as address,
        pytest.raises(LakehouseError, match=rf"the catalogue \({address}\) or the lake \(lake\)"),
    ):
        open_tables(settings(address, lakehouse_catalog_token="other"))


def replace_day(table: Table, path: Path, number: int) -> None:
    """Commit one row in the place of the day's."""
    rows = [[DAY], ["s"], [number], [Decimal("1.5")]]
    schema = schema_to_pyarrow(table.schema(), include_field_ids=True)
    pq.write_table(pa.table(rows, schema=schema), path)
    commit({"taxes": table}, {"taxes": Replacement("id", (DAY,), (f"file://{path}",))})


def loaded(tables: Tables) -> Table:
    table = tables.load("taxes")
    assert table is not None
    return table


def test_a_day_is_replaced_unless_somebody_else_was_faster(
    asked: set[str], tables: Tables, tmp_path: Path
) -> None:
    tables.make()  # once more
    tables.follow({"taxes": COLUMNS})
    tables.follow({"taxes": [*COLUMNS, Column("tax_rate", "numeric")]})
    stale = loaded(tables)
    replace_day(loaded(tables), tmp_path / "1.parquet", 1)
    with pytest.raises(Conflict):
        replace_day(stale, tmp_path / "2.parquet", 2)
    replace_day(loaded(tables), tmp_path / "3.parquet", 3)
    assert [3] == loaded(tables).scan().to_arrow().column("tax_num").to_pylist()
    assert [("checks", DAY)] == tables.exported_days()
    if asked:
        [statement] = rendered("glue", SAMPLE)["Statement"]
        assert set(statement["Action"]) == asked, "all that is granted, and nothing else"
