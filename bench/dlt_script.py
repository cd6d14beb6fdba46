"""Merges the documents of a manifest with dlt; run by `bench.dlt_peer` in dlt's own environment.

BENCH_DLT says how: `nested` hands over the records as they are, with dlt's own defaults, and dlt
makes tables of what lies inside of them; `flat` is tuned: a resource for each table, so that
nothing is left to unnest, and CSV for COPY.

Prints one JSON line: the seconds from opening the first file to the last commit.
"""

import json
import os
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter
from typing import Any

import dlt  # type: ignore[import-not-found]  # only in .venv-bench
from dlt.common import json as dlt_json  # type: ignore[import-not-found]  # as above

_LIST_KEY = ["store_id", "bus_dt", "record_id"]
_FLAT = os.environ["BENCH_DLT"] == "flat"


class Documents:
    """The manifest's files, each parsed once, and their rows by table."""

    def __init__(self, manifest: Path) -> None:
        self._entries = json.loads(manifest.read_text())
        self.tables: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)

    def read(self) -> None:
        """Parse every file and split its records by table."""
        for path, field, id_field, store, day in self._entries:
            rows = dlt_json.loadb(Path(path).read_bytes()).get(field) or []
            if field == "guestChecks":
                for check in rows:
                    self._add_check(store, check)
            else:
                self.tables[field] += _keyed(rows, id_field, store, day)

    def _add_check(self, store: str, check: dict[str, Any]) -> None:
        key = {"store_id": store, "guest_check_id": check["guestCheckId"]}
        if not _FLAT:
            self.tables["guest_checks"].append(key | check)
            return
        self.tables["taxes"] += [key | tax for tax in check.pop("taxes", None) or ()]
        self.tables["detail_lines"] += [key | line for line in check.pop("detailLines", None) or ()]
        self.tables["guest_checks"].append(key | check)


def _keyed(rows: list[Any], id_field: str, store: str, day: str) -> Iterator[dict[str, Any]]:
    for number, row in enumerate(rows):
        record_id = str(row.get(id_field, f"row-{number}"))
        yield {"store_id": store, "bus_dt": day, "record_id": record_id} | row


def main() -> None:
    """Run the pipeline once."""
    began = perf_counter()
    documents = Documents(Path(os.environ["BENCH_MANIFEST"]))
    documents.read()
    keys = {
        "guest_checks": ["store_id", "guest_check_id"],
        "taxes": ["store_id", "guest_check_id", "taxNum"],
        "detail_lines": ["store_id", "guestCheckLineItemId"],
    }
    resources = [
        dlt.resource(
            rows,
            name=name,
            primary_key=keys.get(name, _LIST_KEY),
            write_disposition={"disposition": "merge", "strategy": "upsert"},
        )
        for name, rows in documents.tables.items()
        if rows
    ]
    pipeline = dlt.pipeline("bench", destination="postgres", dataset_name="bench_dlt")
    load = pipeline.run(resources, loader_file_format="csv" if _FLAT else None)
    load.raise_on_failed_jobs()
    print(json.dumps({"seconds": perf_counter() - began}))


if __name__ == "__main__":
    main()
