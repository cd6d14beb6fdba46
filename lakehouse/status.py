"""What was published, and how large the tables are; changes nothing."""

from typing import Any

from lakehouse.batch import Place
from lakehouse.tables import TABLES


def tables_status(place: Place) -> dict[str, Any]:
    """Return what `latest.json` says, and the size of each table."""
    latest, _ = place.lake.read_latest()
    tables = []
    for name in TABLES:
        table = place.tables.load(name)
        snapshot = table.current_snapshot() if table is not None else None
        summary = snapshot.summary if snapshot is not None else None
        total = {
            word: int((summary and summary[f"total-{name}"]) or 0)
            for word, name in (
                ("rows", "records"),
                ("files", "data-files"),
                ("bytes", "files-size"),
            )
        }
        tables.append({"table": name, "exists": table is not None, **total})
    published = latest and {
        "export_id": latest.export_id,
        "snapshot_time": latest.snapshot_time,
        "complete": latest.complete,
    }
    return {"latest": published, "tables": tables}
