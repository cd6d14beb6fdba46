"""The figures that people read are those of the run that is kept."""

import json

from bench.page import PAGE, figures, filled
from bench.report import RESULTS


def test_the_page_has_the_figures_of_the_last_run() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert page == filled(page, json.loads(RESULTS.read_text(encoding="utf-8")))


def test_what_a_run_did_not_measure_has_a_dash() -> None:
    environment = {"python": "3", "postgresql": "18", "cores": 2}
    table = figures({"huge_peak_mb": 1.5, "environment": environment})
    assert "| `huge_peak_mb` | 1.5 | ≤ 200 |" in table
    assert "| `reload_unchanged_share` | - | ≤ 0.15 |" in table
