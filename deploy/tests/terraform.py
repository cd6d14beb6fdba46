"""Running Terraform on a copy of deploy/, so that no lock and no state comes into the checkout."""

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

DEPLOY = Path(__file__).parent.parent
# A directory of providers to take instead of the registry: Terraform's `filesystem_mirror`.
MIRROR = "TERRAFORM_PROVIDERS"
_DEADLINE_SECONDS = 900


@dataclass(frozen=True)
class Terraform:
    """A copy of deploy/ and how to call Terraform on a folder of it."""

    copy: Path
    environment: dict[str, str]

    def run(self, folder: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command in a folder below deploy/terraform and return what it said."""
        return subprocess.run(
            ["terraform", f"-chdir={self.copy / 'terraform' / folder}", *arguments],  # noqa: S607 - the one on PATH
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=_DEADLINE_SECONDS,
            check=False,
        )

    def succeed(self, folder: str, *arguments: str) -> str:
        """Run a command that must succeed; return its output."""
        result = self.run(folder, *arguments)
        assert result.returncode == 0, result.stdout + result.stderr
        return result.stdout

    def init(self, folder: str) -> None:
        """Install providers; skip the test, saying why, where they are not to be had."""
        result = self.run(folder, "init", "-backend=false", "-input=false", "-no-color")
        if result.returncode != 0:
            reason = result.stderr.strip().splitlines()[-1] if result.stderr.strip() else "?"
            pytest.skip(
                f"NOT CHECKED: terraform init: {reason}; {MIRROR} may name a directory of providers"
            )


def terraform_of(folder: Path) -> Terraform:
    """Give Terraform on a fresh copy below a folder; skip the test where there is none."""
    if shutil.which("terraform") is None:
        pytest.skip("NOT CHECKED: there is no terraform on PATH")
    copy = folder / "deploy"
    leave = shutil.ignore_patterns(".terraform*", "tests.py", "__pycache__", "*.tfstate*")
    shutil.copytree(DEPLOY, copy, ignore=leave)
    environment = {**os.environ, "CHECKPOINT_DISABLE": "1", "TF_IN_AUTOMATION": "1"}
    if mirror := os.environ.get(MIRROR):
        settings = folder / "terraform.rc"
        settings.write_text(
            f'provider_installation {{\n  filesystem_mirror {{ path = "{mirror}" }}\n}}\n'
        )
        environment["TF_CLI_CONFIG_FILE"] = str(settings)
    return Terraform(copy, environment)
