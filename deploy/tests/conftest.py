"""Fixtures of the tests that need more than PyPI has; each says loudly what it skipped and why."""

from pathlib import Path

import pytest

from deploy.tests.terraform import Terraform, terraform_of


@pytest.fixture
def terraform(tmp_path: Path) -> Terraform:
    """Give Terraform on a copy of deploy/."""
    return terraform_of(tmp_path)


@pytest.fixture(scope="session")
def debian(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder for what is unpacked of Debian's packages."""
    return tmp_path_factory.mktemp("debian")
