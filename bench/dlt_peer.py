"""The peer built for the job: dlt merges the same documents, in an environment of its own.

It does so in two ways, both with primary keys and merge by upsert: `nested`, the ordinary one, is
given the records as they are and its own defaults; `flat` is tuned, with a resource for each
table, files as CSV for COPY, large buffers and several workers.
"""

import json
import os
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Literal
from urllib.parse import quote

from bench.documents import Document
from consumer.settings import DatabaseSettings
from devstack.bootstrap import ROOT, Environment, bring_up_to_date

_SCRIPT = Path(__file__).with_name("dlt_script.py")
_TUNED = {
    "DATA_WRITER__BUFFER_MAX_ITEMS": "20000",
    "NORMALIZE__WORKERS": "2",
    "NORMALIZE__START_METHOD": "fork",
    "LOAD__WORKERS": "4",
}
_ENVIRONMENT = Environment(
    ROOT / ".venv-bench", ROOT / "requirements" / "bench.lock", holds_project=False
)


def install() -> None:
    """Make `.venv-bench` from its lock file, unless it is up to date. Blocks up to a minute.

    Raises:
        SetupError: the installation failed; its log is kept in the environment's directory.
    """
    bring_up_to_date(_ENVIRONMENT, ROOT)


def load_seconds(
    database: DatabaseSettings, documents: Sequence[Document], style: Literal["nested", "flat"]
) -> float:
    """Load documents with dlt into tables of its own; return its seconds from files to commit."""
    with tempfile.TemporaryDirectory(prefix="coco-bench-") as directory:
        manifest = _write(documents, Path(directory))
        environment = os.environ | {"BENCH_MANIFEST": str(manifest), "BENCH_DLT": style}
        environment |= _settings(database) | (_TUNED if style == "flat" else {})
        result = subprocess.run(
            [str(_ENVIRONMENT.directory / "bin" / "python"), str(_SCRIPT)],
            env=environment | {"DLT_DATA_DIR": directory, "HOME": directory},
            cwd=directory,
            capture_output=True,
            text=True,
            check=False,
        )
    if result.returncode != 0:
        raise RuntimeError(f"dlt failed:\n{result.stderr[-3000:]}")
    return float(json.loads(result.stdout.splitlines()[-1])["seconds"])


def version() -> str:
    """Return the version of dlt that is compared with."""
    python = _ENVIRONMENT.directory / "bin" / "python"
    code = "from importlib.metadata import version; print(version('dlt'))"
    result = subprocess.run([str(python), "-c", code], capture_output=True, text=True, check=True)
    return result.stdout.strip()


def _write(documents: Sequence[Document], directory: Path) -> Path:
    entries = []
    for number, document in enumerate(documents):
        path = directory / f"{number}.json"
        path.write_bytes(document.data)
        entry = document.source.entry
        frame = [entry.list_field, entry.id_field, document.store, document.day.isoformat()]
        entries.append([str(path), *frame])
    manifest = directory / "manifest.json"
    manifest.write_text(json.dumps(entries))
    return manifest


def _settings(database: DatabaseSettings) -> dict[str, str]:
    prefix = "DESTINATION__POSTGRES__CREDENTIALS__"
    return {
        f"{prefix}DRIVERNAME": "postgresql",
        # dlt writes it into a URL as it is; the directory of a socket must be encoded there.
        f"{prefix}HOST": quote(database.db_host, safe=""),
        f"{prefix}PORT": str(database.db_port),
        f"{prefix}DATABASE": database.db_name,
        f"{prefix}USERNAME": database.db_user,
        f"{prefix}PASSWORD": "local-only",
        "RUNTIME__DLTHUB_TELEMETRY": "false",
        "RUNTIME__LOG_LEVEL": "CRITICAL",
    }
