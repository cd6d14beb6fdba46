"""Engines of their own environment read what was exported: `make engines-test`, not `make test`."""

import json
import re
import subprocess
from decimal import Decimal
from typing import Any

import pytest

from devstack.bootstrap import ROOT, Environment, bring_up_to_date
from lakehouse import app
from lakehouse.feed import Selection
from lakehouse.settings import LakehouseSettings
from tests.conftest import Lake
from tests.support.guide import GUIDE, PUT_CHECKS, given_names, snippet
from tests.support.migrated import with_tables
from tests.support.programs import query

LOCK = ROOT / "requirements" / "engines.lock"
ENGINES = Environment(ROOT / ".venv-engines", LOCK, holds_project=False)
# What stands before a snippet in the guide, and is taken for given in it
BEFORE = {"Polars": "", "pandas": "pyiceberg", "Daft": "pyiceberg"}
NOT_ON_PYPI = re.findall(r"```sql\n-- (\w+)", GUIDE)


@pytest.fixture(scope="module")
def python() -> str:
    """Give the interpreter that has the engines; blocks for a minute when they are not there."""
    bring_up_to_date(ENGINES, ROOT)
    return str(ENGINES.directory / "bin" / "python")


@pytest.fixture
def names(
    environment: dict[str, str], lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> dict[str, Any]:
    """Export three checks; give what the guide's snippets take for given."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    settings = LakehouseSettings()
    with_tables(environment)
    query(environment, PUT_CHECKS.format(1, 3))
    app.init(settings)
    app.export(settings, Selection(), again=False)
    return given_names(settings, lake)


def test_the_snippet_of_each_engine_reads_the_revenue(python: str, names: dict[str, Any]) -> None:
    found = {engine: revenue(python, engine, names) for engine in BEFORE}
    assert dict.fromkeys(BEFORE, Decimal("30.75")) == found


def revenue(python: str, engine: str, names: dict[str, Any]) -> Decimal:
    before = BEFORE[engine]
    script = "\n".join(
        [
            "import json, sys",
            "globals().update(json.load(sys.stdin))",
            snippet(before) if before else "",
            snippet(engine),
            "print('revenue', revenue)",
        ]
    )
    result = subprocess.run(
        [python, "-c", script],
        input=json.dumps(names),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert 0 == result.returncode, result.stderr[-3000:]
    return Decimal(result.stdout.rpartition("revenue ")[2].strip())


@pytest.mark.parametrize("engine", NOT_ON_PYPI)
def test_what_cannot_be_installed_is_named(engine: str) -> None:
    pytest.skip(f"NOT CHECKED: the snippet for {engine}, which is not on PyPI")
