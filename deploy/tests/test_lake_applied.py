"""Ring 2: the lake that the module makes on LocalStack is one that the product works on."""

import json
import os
from collections.abc import Iterator, Mapping

import boto3
import pytest
from aiohttp import web

from deploy.tests import guide
from deploy.tests.terraform import Terraform
from devstack.environment import command_environment
from devstack.stack import running_stack
from tests.support.databases import own_database
from tests.support.fronts import front_of, sqs_action
from tests.support.programs import query, succeed

ROOT = """
terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}

provider "aws" {
  region                      = "us-east-1"
  access_key                  = "test"
  secret_key                  = "test"
  s3_use_path_style           = true
  skip_credentials_validation = true
  skip_metadata_api_check     = true

  endpoints {
    s3  = "%(url)s"
    sqs = "%(url)s"
    sts = "%(url)s"
  }
}

module "lake" {
  source      = "../lake"
  name        = "applied"
  bucket_name = "applied-lake"
}

output "environment" {
  value = {
    BUCKET_NAME = module.lake.bucket_name
    QUEUE_URL   = module.lake.queue_url
    DLQ_URL     = module.lake.dlq_url
  }
}
"""
# LocalStack is started with S3 and SQS alone; the provider also asks who it is.
IDENTITY = """
<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
  <GetCallerIdentityResult>
    <Arn>arn:aws:iam::000000000000:root</Arn>
    <UserId>test</UserId>
    <Account>000000000000</Account>
  </GetCallerIdentityResult>
</GetCallerIdentityResponse>
"""


def identify(_: web.Request, body: bytes) -> web.Response | None:
    """Answer who asks; leave the rest to LocalStack."""
    is_asked = b"Action=GetCallerIdentity" in body
    return web.Response(text=IDENTITY, content_type="text/xml") if is_asked else None


def leave_out_empty(request: web.Request, _: bytes, said: bytes) -> bytes:
    """Tell no attribute of a queue that was taken away, as SQS does; LocalStack has it empty.

    Terraform would wait for three minutes, and fail.
    """
    if sqs_action(request) != "GetQueueAttributes":
        return said
    told = json.loads(said)
    told["Attributes"] = {k: v for k, v in told.get("Attributes", {}).items() if v}
    return json.dumps(told).encode()


@pytest.fixture
def servers(terraform: Terraform) -> Iterator[Mapping[str, str]]:
    """Give the environment of running servers; none is started where there is no Terraform."""
    terraform.init("lake")
    with running_stack() as stack, own_database(stack.environment) as database:
        yield command_environment(os.environ, {**stack.environment, **database})


# Terraform waits a minute for each change of a queue to be seen everywhere.
@pytest.mark.timeout(1800)
def test_the_product_works_on_the_lake_that_terraform_made(
    terraform: Terraform, servers: Mapping[str, str]
) -> None:
    """Pull, load, doctor without a complaint; a second plan is empty; all is destroyed."""
    root = terraform.copy / "terraform" / "applied"
    root.mkdir()
    with front_of(servers["AWS_ENDPOINT_URL"], identify, leave_out_empty) as front:
        (root / "main.tf").write_text(ROOT % {"url": front.url})
        terraform.init("applied")
        terraform.succeed("applied", "apply", "-auto-approve", "-no-color")
        made = json.loads(terraform.succeed("applied", "output", "-json", "environment"))
        environment = {**servers, **made}

        succeed("consumer", "migrate", environment=environment)
        doctor, status, pull = guide.commands("4. Does it work?")
        follow(pull, environment | {"STORES": "001"})
        succeed("consumer", "run", "--until-idle", "2", environment=environment)
        assert query(environment, "SELECT state, count(*) FROM ingested_objects GROUP BY 1") == [
            ("loaded", 10)
        ]
        follow(doctor, environment)
        assert "loaded" in follow(status, environment)

        second = terraform.run("applied", "plan", "-detailed-exitcode", "-no-color")
        assert second.returncode == 0, second.stdout + second.stderr
        empty_bucket(servers, made["BUCKET_NAME"])
        terraform.succeed("applied", "destroy", "-auto-approve", "-no-color")


def follow(command: str, environment: Mapping[str, str]) -> str:
    """Type a command of the guide, which must succeed."""
    program, *arguments = command.split()
    return succeed(program, *arguments, environment=environment)


def empty_bucket(environment: Mapping[str, str], name: str) -> None:
    """Delete all versions; Terraform destroys no bucket that holds something."""
    session = boto3.Session("test", "test", region_name=environment["AWS_REGION"])
    s3 = session.client("s3", endpoint_url=environment["AWS_ENDPOINT_URL"])
    found = s3.list_object_versions(Bucket=name)
    for one in [*found.get("Versions", []), *found.get("DeleteMarkers", [])]:
        s3.delete_object(Bucket=name, Key=one["Key"], VersionId=one["VersionId"])
