"""A change that nobody announced: what the export of a day said, and one amount more."""

import json
from pathlib import Path
from typing import Any

AMOUNT = 37.5


def corrected(export: Path, directory: Path) -> tuple[Path, str]:
    """Write an export anew, its first check worth more; return it and the day of the check."""
    document: dict[str, Any] = json.loads(export.read_text(encoding="utf-8"))
    check = document["guestChecks"][0]
    check["subTtl"] += AMOUNT
    check["lastUpdatedUTC"] = document["curUTC"]
    document["guestChecks"] = [check]
    written = directory / f"corrected_{export.name}"
    written.write_text(json.dumps(document), encoding="utf-8")
    return written, str(check["opnBusDt"])
