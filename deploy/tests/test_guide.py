"""Ring 2: docs/deploy.md is followed, word by word, on moto's server.

The whole example is applied, upgraded and destroyed. Terraform finds nothing left to do but where
moto 5.2 answers otherwise than AWS.
"""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from deploy.tests import guide
from deploy.tests.environment import tool
from deploy.tests.moto import Gaps, running_moto
from deploy.tests.terraform import Terraform

REGION = "sa-east-1"
IMAGE = "123456789012.dkr.ecr.sa-east-1.amazonaws.com/coco-ingest"
SERVICES = (
    "applicationautoscaling", "cloudwatch", "ec2", "ecs", "iam", "kms", "logs", "rds", "s3",
    "secretsmanager", "sns", "sqs", "sts",
)  # fmt: skip
# Where to reach AWS; and a database that may be destroyed.
OVERRIDE = """
provider "aws" {
  access_key                  = "test"
  secret_key                  = "test"
  s3_use_path_style           = true
  skip_credentials_validation = true
  skip_metadata_api_check     = true

  endpoints {
%(endpoints)s
  }
}

resource "aws_db_instance" "this" {
  deletion_protection = false
  skip_final_snapshot = true
}
"""
# What moto 5.2 forgets beside what the front knows of; so Terraform would set it again and again.
FORGOTTEN = {
    "aws_vpc_security_group_ingress_rule.endpoints": {"description"},
    "module.service.aws_ecs_service.consumer": {"availability_zone_rebalancing"},
    "module.service.aws_ecs_service.producer[0]": {"availability_zone_rebalancing"},
    'module.service.aws_vpc_security_group_egress_rule.database["rds"]': {"description"},
    'module.service.aws_vpc_security_group_ingress_rule.database["rds"]': {"description"},
}


class Walk:
    """A copy of the example, and a shell in which the guide's commands are typed."""

    def __init__(self, terraform: Terraform, url: str, gaps: Gaps) -> None:
        self.gaps = gaps
        self.folder = terraform.copy / "terraform" / "examples" / "complete"
        self._url = url
        endpoints = "\n".join(f'    {service} = "{url}"' for service in SERVICES)
        (self.folder / "moto_override.tf").write_text(OVERRIDE % {"endpoints": endpoints})
        network = self._network()
        values = {
            **network,
            "bucket_name": "walked-lake",
            "image": f"{IMAGE}:0.1.0",
            "api_base_url": "https://erp.example",
            "stores": ["001", "São João"],
        }
        (self.folder / "terraform.tfvars.json").write_text(json.dumps(values))
        self._environment = terraform.environment | {
            "AWS_ENDPOINT_URL": url,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": REGION,
            "AWS_PAGER": "",
            "PATH": f"{Path(tool('aws')).parent}:{os.environ['PATH']}",
            "TF_CLI_ARGS_apply": "-auto-approve -no-color",
            "TOKEN": "secret",
            "IMAGE": f"{IMAGE}:0.2.0",
        }

    def client(self, service: str) -> Any:
        """Return a client of moto."""
        session = boto3.Session("test", "test", region_name=REGION)
        return session.client(service, endpoint_url=self._url)  # type: ignore[call-overload]

    def type(self, command: str) -> str:
        """Run a command that must succeed; return its output."""
        done = subprocess.run(
            ["bash", "-ec", command],  # noqa: S607 - the guide's shell
            cwd=self.folder,
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
        return done.stdout

    def changes(self) -> dict[str, set[str]]:
        """Return what Terraform would still change: the attributes of each resource."""
        self.type("terraform plan -out=plan -no-color")
        planned = json.loads(self.type("terraform show -json plan"))
        found = {}
        for one in planned["resource_changes"]:
            before, after = one["change"]["before"] or {}, one["change"]["after"] or {}
            if one["change"]["actions"] not in (["no-op"], ["read"]):
                names = before.keys() | after.keys()
                found[one["address"]] = {n for n in names if before.get(n) != after.get(n)}
        return found

    def _network(self) -> dict[str, Any]:
        ec2 = self.client("ec2")
        vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        subnets = [
            ec2.create_subnet(
                VpcId=vpc, CidrBlock=f"10.0.{number}.0/24", AvailabilityZone=f"{REGION}{zone}"
            )["Subnet"]["SubnetId"]
            for number, zone in enumerate("ac")
        ]
        table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
        return {"vpc_id": vpc, "subnet_ids": subnets, "route_table_ids": [table]}


@pytest.fixture
def walk(terraform: Terraform, tmp_path: Path) -> Iterator[Walk]:
    """Give the example in a VPC that is there."""
    terraform.init("examples/complete")
    with running_moto(tmp_path) as (url, gaps):
        yield Walk(terraform, url, gaps)


def image(walk: Walk, task_definition: str) -> str:
    """Return the image of a task definition; of a family, that of the newest."""
    found = walk.client("ecs").describe_task_definition(taskDefinition=task_definition)
    [container] = found["taskDefinition"]["containerDefinitions"]
    return str(container["image"])


def services(walk: Walk) -> dict[str, str]:
    """Return the image of each service."""
    names = ["consumer", "producer"]
    found = walk.client("ecs").describe_services(cluster="coco-ingest", services=names)
    return {one["serviceName"]: image(walk, one["taskDefinition"]) for one in found["services"]}


def assert_migrated_by(walk: Walk, tag: str) -> None:
    """The migration was started once more, as a task of the image with this tag."""
    asked = walk.gaps.started.pop()
    assert walk.gaps.started == []
    assert (asked["cluster"], asked["launchType"]) == ("coco-ingest", "FARGATE")
    assert len(asked["networkConfiguration"]["awsvpcConfiguration"]["subnets"]) == 2
    assert image(walk, asked["taskDefinition"]) == f"{IMAGE}:{tag}"


# Terraform waits a minute for each change of a queue to be seen everywhere.
@pytest.mark.timeout(1800)
def test_the_guide_leads_from_nothing_to_an_upgraded_service(walk: Walk) -> None:
    for command in guide.commands("2. Lake, service, database"):
        walk.type(command)
    assert services(walk) == {"consumer": f"{IMAGE}:0.1.0", "producer": f"{IMAGE}:0.1.0"}
    token = walk.client("secretsmanager").get_secret_value(SecretId="coco-ingest/erp-token")
    assert token["SecretString"] == "secret"
    for command in guide.commands("3. Users and tables"):
        walk.type(command)
    assert_migrated_by(walk, "0.1.0")
    assert walk.changes() == FORGOTTEN

    upgrade, migrate, deploy = guide.commands("Upgrades and rollback")
    walk.type(upgrade)
    assert services(walk) == {"consumer": f"{IMAGE}:0.1.0", "producer": f"{IMAGE}:0.1.0"}
    walk.type(migrate)
    assert_migrated_by(walk, "0.2.0")
    walk.type(deploy)
    assert services(walk) == {"consumer": f"{IMAGE}:0.2.0", "producer": f"{IMAGE}:0.2.0"}
    walk.type("terraform destroy -auto-approve -no-color")
