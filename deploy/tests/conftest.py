"""Fixtures of the tests that need more than PyPI has; each says loudly what it skipped and why."""

from pathlib import Path

import pytest

from deploy.tests.terraform import Terraform, terraform_of


@pytest.fixture
def terraform(tmp_path: Path) -> Terraform:
    """Give Terraform on a copy of deploy/."""
    return terraform_of(tmp_path)
