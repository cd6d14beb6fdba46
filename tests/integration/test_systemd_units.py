"""The units of deploy/systemd: they start what there is, and systemd understands them."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from consumer.settings import ConsumerSettings
from lakehouse.settings import LakehouseSettings
from producer.settings import Settings as ProducerSettings
from tests.support.programs import DEADLINE_SECONDS

ROOT = Path(__file__).parent.parent.parent
UNITS = sorted((ROOT / "deploy/systemd").glob("*.service"))
ANALYZE = shutil.which("systemd-analyze")
INSTALLED = Path("/opt/coco-ingest/bin")


def value(unit: Path, name: str) -> str:
    [found] = re.findall(rf"^{name}=(.*)$", unit.read_text(encoding="utf-8"), re.MULTILINE)
    return str(found)


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_a_unit_starts_a_program_of_ours_and_names_its_settings(unit: Path) -> None:
    program, command = value(unit, "ExecStart").split()[:2]
    assert INSTALLED == Path(program).parent
    assert f"coco-{Path(program).name}" == unit.stem
    assert "run" == command
    models = (ConsumerSettings, ProducerSettings, LakehouseSettings)
    known = {name for model in models for name in model.model_fields}
    named = set(re.findall(r"\b[A-Z]+(?:_[A-Z]+){1,}\b", unit.read_text(encoding="utf-8")))
    assert set() == {name.lower() for name in named} - known - {"af_inet", "af_unix"}


def test_systemd_waits_longer_for_the_end_than_the_programs_do() -> None:
    stopping = {unit.stem: int(value(unit, "TimeoutStopSec")) for unit in UNITS}
    fields = ConsumerSettings.model_fields["shutdown_timeout_seconds"]
    assert stopping["coco-consumer"] > fields.default + 10
    fields = ProducerSettings.model_fields["run_stop_timeout_seconds"]
    assert stopping["coco-producer"] > fields.default


def test_all_units_are_hardened_alike() -> None:
    hardening = {unit.stem: sandbox(unit) for unit in UNITS}
    assert {"coco-consumer", "coco-lakehouse", "coco-producer"} == set(hardening)
    assert hardening["coco-consumer"] == hardening["coco-lakehouse"] == hardening["coco-producer"]
    assert "ProtectSystem=strict" in hardening["coco-consumer"]


def sandbox(unit: Path) -> list[str]:
    """Return what a unit forbids itself: the lines from PrivateTmp on, but for comments."""
    text = unit.read_text(encoding="utf-8").partition("PrivateTmp=")[2].partition("[Install]")[0]
    return [line for line in text.splitlines() if line and not line.startswith("#")]


@pytest.mark.skipif(
    ANALYZE is None,
    reason="NOT CHECKED: systemd-analyze verify on deploy/systemd, as systemd is not installed",
)
@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_systemd_finds_nothing_wrong_with_a_unit(unit: Path, tmp_path: Path) -> None:
    assert ANALYZE is not None
    # It also looks whether the program is there: ours are in this environment.
    here = Path(sys.executable).parent
    copy = tmp_path / unit.name
    text = unit.read_text(encoding="utf-8").replace(str(INSTALLED), str(here))
    copy.write_text(text, encoding="utf-8")
    result = subprocess.run(
        [ANALYZE, "verify", "--man=no", str(copy)],
        capture_output=True,
        text=True,
        timeout=DEADLINE_SECONDS,
        check=False,
    )
    assert (0, "") == (result.returncode, result.stdout + result.stderr)
