"""The figures in docs/performance.md, written from `bench/results.json` after each whole run.

python -m bench.page
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bench.report import RESULTS

PAGE = Path(__file__).parent.parent / "docs" / "performance.md"
_BEGIN, _END = "<!-- figures: by `python -m bench.page` -->\n", "<!-- end of figures -->\n"

# What is aimed at, by key; those without an aim are for comparison.
_AIMS = {
    "reload_unchanged_share": "≤ 0.15",
    "reload_unchanged_rows_rewritten": "0",
    "reload_one_amount_share": "",
    "reload_1_percent_share": "≤ 0.18",
    "reload_10_percent_share": "≤ 0.42",
    "reload_100_percent_share": "≤ 1.0",
    "first_load_cpu_seconds": "≤ 2.26",
    "first_load_vs_in_full": "≤ 1.03",
    "message_cpu_vs_bare_loop": "≤ 1.1",
    "message_rate_vs_bare_loop": "≥ 1.0",
    "idle_latency_p50_seconds": "",
    "idle_latency_p99_seconds": "≤ 0.2",
    "batch_cost_growth": "≤ 1.1",
    "loader_share_of_copy": "≥ 0.45",
    "loader_vs_dlt": "",
    "loader_vs_dlt_flat": "",
    "loader_vs_row_by_row": "≥ 9",
    "parse_share_of_orjson": "",
    "drift_share_of_load": "≤ 0.05",
    "huge_peak_mb": "≤ 200",
    "verify_vs_load": "≤ 2.5",
    "store_days_loaded_a_minute": "",
    "lakehouse_vs_parquet_writer": "≤ 5",
    "lakehouse_and_postgres_vs_parquet_writer": "",
    "lakehouse_vs_plain_parquet": "≤ 1.5",
    "lakehouse_idle_seconds": "≤ 1",
    "lakehouse_idle_objects": "0",
    "lakehouse_corrected_bytes_share": "≤ 1",
    "lakehouse_peak_mb": "≤ 400",
    "load_with_feed": "≤ 1.05",
}


def figures(results: Mapping[str, Any]) -> str:
    """Return the table of one run; what it did not measure has a dash."""
    rows = [f"| `{key}` | {results.get(key, '-')} | {aim or '-'} |\n" for key, aim in _AIMS.items()]
    where = results["environment"]
    machine = f"Python {where['python']}, PostgreSQL {where['postgresql']}, {where['cores']} cores"
    return "".join((f"| {machine} | measured | aim |\n", "|---|---|---|\n", *rows))


def filled(page: str, results: Mapping[str, Any]) -> str:
    """Return a page with the figures of a run in place of those that it has."""
    before, _, rest = page.partition(_BEGIN)
    return f"{before}{_BEGIN}{figures(results)}{_END}{rest.partition(_END)[2]}"


def write_page() -> None:
    """Write the figures of the last whole run into the page."""
    results = json.loads(RESULTS.read_text(encoding="utf-8"))
    PAGE.write_text(filled(PAGE.read_text(encoding="utf-8"), results), encoding="utf-8")


if __name__ == "__main__":
    write_page()
