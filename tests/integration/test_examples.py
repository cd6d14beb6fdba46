"""The documents in examples/ end as its README says."""

import re
from decimal import Decimal
from pathlib import Path

import pytest

from tests.conftest import Lake
from tests.support.migrated import with_tables
from tests.support.programs import query, succeed

EXAMPLES = Path(__file__).parent.parent.parent / "examples"
ROWS = dict(
    re.findall(
        r"^\| `(\w+/\w+\.json)` \| .* \| `(\w+)` \|$",
        (EXAMPLES / "README.md").read_text(encoding="utf-8"),
        re.MULTILINE,
    )
)
DOCUMENTS = {name: end for name, end in ROWS.items() if not name.startswith("events/")}
STORE_DAY = "raw/api_responses/{}/busDt=2024-01-01/storeId=042%20Harbour/"


@pytest.fixture
def loaded(environment: dict[str, str], lake: Lake) -> dict[str, str]:
    """Upload every example document and let a consumer load them; give the environment."""
    with_tables(environment)
    exports = [str(EXAMPLES / folder) for folder in ("erp", "broken")]
    succeed("producer", "upload", *exports, "--no-check", environment=environment)
    for answer in sorted((EXAMPLES / "api").iterdir()):
        place = STORE_DAY.format(answer.stem)
        succeed("producer", "upload", str(answer), "--to", place, environment=environment)
    succeed("consumer", "run", "--until-idle", "1", environment=environment)
    return environment


def test_the_documents_end_as_the_page_says(loaded: dict[str, str]) -> None:
    """A broken one with the code that it is named after; what is good of it is in the tables."""
    assert ends(loaded) == {
        name: (end, Path(name).stem if end == "dead_lettered" else None)
        for name, end in DOCUMENTS.items()
    }
    check_merged(loaded)


def ends(loaded: dict[str, str]) -> dict[str, tuple[str, str | None]]:
    """Return state and error code of each example, by its name."""
    ledger = query(loaded, "SELECT object_key, state, error_code FROM ingested_objects")
    found = {}
    for key, state, code in ledger:
        folder, _, file = str(key).removeprefix("raw/").rpartition("/")
        name = f"broken/{file}" if code else f"erp/{file}"
        if folder != "erp":
            name = f"api/{folder.split('/')[1]}.json"
        found[name] = (state, code)
    return found


def check_merged(loaded: dict[str, str]) -> None:
    """The full one, what the trimmed ones add, and the invalid record's neighbour."""
    checks = query(
        loaded,
        "SELECT guest_check_id, gst_cnt, num_chk_prntd, extra ->> 'customerFeedback'"
        " FROM guest_checks ORDER BY guest_check_id",
    )
    assert checks == [
        (7001, 2, 2, "The soup was worth the wait."),
        (7002, 1, 1, None),
        (7003, 1, None, None),
    ]
    taxes = "SELECT tax_coll_ttl, type FROM taxes WHERE guest_check_id = 7001"
    assert query(loaded, taxes) == [(Decimal("9.46"), 3)]
    revenue = "SELECT checks, guests, net, discounts FROM v_daily_revenue"
    assert query(loaded, revenue) == [(3, 4, Decimal("82.45"), Decimal("-6.05"))]
    assert query(loaded, "SELECT * FROM v_check_reconciliation") == []
