"""Ring 3: Prometheus' own tool finds the alerts in order, and sees each fire and stay silent."""

import subprocess
from pathlib import Path

from deploy.tests.prometheus import program

ALERTS = Path(__file__).parent.parent / "prometheus"


def test_every_alert_fires_for_its_reason_and_none_while_all_is_well(debian: Path) -> None:
    promtool = program("promtool", debian)
    for arguments in (["check", "rules", "alerts.yml"], ["test", "rules", "alerts_test.yml"]):
        told = subprocess.run(
            [promtool, *arguments], cwd=ALERTS, capture_output=True, text=True, check=False
        )
        assert told.returncode == 0, told.stdout + told.stderr
        assert "SUCCESS" in told.stdout
