"""The Kubernetes manifests are valid, name what exists, and stop no consumer too early."""

import re
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

FOLDER = Path(__file__).parent.parent.parent.parent / "deploy" / "kubernetes"
VERSION = "1.31"
# Kinds whose schemas are not Kubernetes' own.
OTHERS = {"Kustomization", "ScaledObject"}


def manifests() -> dict[str, dict[str, Any]]:
    """Return the manifests by the file that they stand in, one in each."""
    return {
        path.name: yaml.safe_load(path.read_text(encoding="utf-8"))
        for path in FOLDER.glob("*.yaml")
    }


def pods() -> dict[str, dict[str, Any]]:
    """Return the specification of each pod, by file."""
    found = manifests()
    return {
        name: one["spec"]["template"]["spec"]
        for name, one in found.items()
        if "template" in one.get("spec", {})
    }


def test_the_base_lists_every_manifest() -> None:
    listed = manifests()["kustomization.yaml"]["resources"]
    assert {*listed, "kustomization.yaml"} == set(manifests())


@pytest.mark.filterwarnings("ignore::DeprecationWarning:kubernetes_validate")
@pytest.mark.parametrize(
    "name", sorted(name for name, one in manifests().items() if one["kind"] not in OTHERS)
)
def test_a_manifest_is_valid(name: str) -> None:
    kubernetes_validate.validate(manifests()[name], VERSION, strict=True)


def test_a_misspelt_field_is_found() -> None:
    wrong = manifests()["consumer.yaml"]
    wrong["spec"]["template"]["spec"]["terminationGracePeriod"] = 60
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, VERSION, strict=True)


def test_containers_can_misuse_nothing() -> None:
    assert set(pods()) == {"consumer.yaml", "migrate.yaml"}
    for pod in pods().values():
        assert pod["securityContext"]["runAsUser"] == 10001
        assert pod["securityContext"]["runAsNonRoot"]
        [container] = pod["containers"]
        assert container["securityContext"]["readOnlyRootFilesystem"]
        assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
        assert not container["securityContext"]["allowPrivilegeEscalation"]
        assert "/tmp" in {  # noqa: S108 - the only place to write to
            mount["mountPath"] for mount in container["volumeMounts"]
        }


def test_a_stop_ends_before_kubernetes_kills() -> None:
    settings = manifests()["settings.yaml"]["data"]
    grace_seconds = pods()["consumer.yaml"]["terminationGracePeriodSeconds"]
    assert int(settings["SHUTDOWN_TIMEOUT_SECONDS"]) < grace_seconds


def test_the_password_is_read_from_where_the_secret_is_mounted() -> None:
    settings = manifests()["settings.yaml"]["data"]
    for pod in pods().values():
        mounts = {mount["mountPath"] for mount in pod["containers"][0]["volumeMounts"]}
        assert str(Path(settings["DB_PASSWORD_FILE"]).parent) in mounts


def test_scaling_counts_what_is_held_and_looks_at_the_consumers_queue() -> None:
    found = manifests()
    [trigger] = found["scaling.yaml"]["spec"]["triggers"]
    assert trigger["metadata"]["scaleOnInFlight"] == "true"
    assert trigger["metadata"]["queueURL"] == found["settings.yaml"]["data"]["QUEUE_URL"]
    assert (
        found["scaling.yaml"]["spec"]["scaleTargetRef"]["name"]
        == (found["consumer.yaml"]["metadata"]["name"])
    )
    assert not re.search("replicas:", (FOLDER / "consumer.yaml").read_text(encoding="utf-8"))
