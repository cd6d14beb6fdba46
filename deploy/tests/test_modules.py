"""Ring 1: the modules are written as Terraform formats them, valid, and pass their own tests."""

import pytest

from deploy.tests.terraform import Terraform


def test_the_modules_are_formatted(terraform: Terraform) -> None:
    assert terraform.succeed(".", "fmt", "-check", "-recursive", "-diff") == ""


@pytest.mark.timeout(900)
@pytest.mark.parametrize("module", ["lake", "service", "examples/complete"])
def test_a_module_passes_its_tests_with_mocked_providers(terraform: Terraform, module: str) -> None:
    terraform.init(module)
    told = terraform.succeed(module, "test", "-no-color")
    assert "0 failed" in told
