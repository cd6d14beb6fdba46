"""moto's server, which answers as AWS does, and a front that answers what moto 5.2 does not know.

Terraform asks about more than moto has. What the front makes up stands in `Gaps`; what moto
has learnt is to be taken out.
"""

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from aiohttp import web

from deploy.tests.environment import tool
from devstack.server import free_port
from tests.support.fronts import front_of
from tests.support.programs import page, until

_JSON = "application/x-amz-json-1.0"


class Gaps:
    """What moto 5.2 forgets of what it is told, and what it does not know at all."""

    def __init__(self) -> None:
        self._of_buckets: dict[str, bytes] = {}  # policy and lifecycle, by address
        self._redrive_allow_policies: dict[str, str] = {}  # by queue
        self._tags: dict[str, str] = {}  # of the one target of scaling
        self.started: list[dict[str, Any]] = []  # what RunTask was asked

    def answer(self, request: web.Request, body: bytes) -> web.Response | None:
        """Answer what moto does not know; leave the rest to it."""
        service, _, action = request.headers.get("X-Amz-Target", "").partition(".")
        if action == "RegisterScalableTarget":
            self._tags |= json.loads(body).get("Tags", {})
        if (service, action) == ("AnyScaleFrontendService", "ListTagsForResource"):
            return web.json_response({"Tags": self._tags}, content_type=_JSON)
        if action == "RunTask":  # it wants memory for each container, which Fargate does not
            self.started.append(json.loads(body))
            answer = {"tasks": [{"lastStatus": "PROVISIONING"}], "failures": []}
            return web.json_response(answer, content_type=_JSON)
        if service == "AmazonSQS" and b"RedriveAllowPolicy" in body:
            return self._redrive_allow_policy(action, json.loads(body))
        # It denies what a policy denies under conditions, whether they hold or not.
        if "policy" in request.query:
            return self._policy(request, body)
        if request.method == "PUT" and "lifecycle" in request.query:
            self._of_buckets[request.path_qs] = body
        return None

    def _redrive_allow_policy(self, action: str, asked: dict[str, Any]) -> web.Response:
        if action == "SetQueueAttributes":
            policy = asked["Attributes"]["RedriveAllowPolicy"]
            self._redrive_allow_policies[asked["QueueUrl"]] = policy
            return web.json_response({}, content_type=_JSON)
        policy = self._redrive_allow_policies.get(asked["QueueUrl"], "")
        attributes = {"RedriveAllowPolicy": policy} if policy else {}
        return web.json_response({"Attributes": attributes}, content_type=_JSON)

    def _policy(self, request: web.Request, body: bytes) -> web.Response:
        if request.method == "PUT":
            self._of_buckets[request.path_qs] = body
        elif request.method == "DELETE":
            self._of_buckets.pop(request.path_qs, None)
        elif policy := self._of_buckets.get(request.path_qs):
            return web.Response(body=policy, content_type="application/json")
        else:
            text = "<Error><Code>NoSuchBucketPolicy</Code></Error>"
            return web.Response(status=404, text=text, content_type="application/xml")
        return web.Response(status=204)

    def mend(self, request: web.Request, asked: bytes, said: bytes) -> bytes:
        """Put into an answer what moto forgot."""
        if request.headers.get("X-Amz-Target") == "AmazonSQS.GetQueueAttributes":
            told = json.loads(said)
            attributes = told.get("Attributes", {})
            if policy := self._redrive_allow_policies.get(json.loads(asked)["QueueUrl"]):
                attributes["RedriveAllowPolicy"] = policy
            if "RedrivePolicy" in attributes:  # with other white space than it was set with
                policy = json.loads(attributes["RedrivePolicy"])
                attributes["RedrivePolicy"] = json.dumps(policy, separators=(",", ":"))
            if "KmsMasterKeyId" in attributes:
                attributes["SqsManagedSseEnabled"] = "false"
            return json.dumps(told).encode()
        if request.method == "GET" and "lifecycle" in request.query and b"<Rule>" in said:
            return self._of_buckets[request.path_qs]  # moto forgets the least size
        return said


@contextmanager
def running_moto(folder: Path) -> Iterator[tuple[str, Gaps]]:
    """Give the address of a moto server that starts empty and ends with the block."""
    port = free_port()
    command = [tool("moto_server"), "--host", "127.0.0.1", "--port", str(port)]
    environment = {**os.environ, "MOTO_IAM_LOAD_MANAGED_POLICIES": "true"}
    with (
        (folder / "moto.log").open("wb") as log,
        subprocess.Popen(command, env=environment, stdout=log, stderr=log) as server,
    ):
        try:
            until(lambda: page(port, "/moto-api/data.json")[0] == 200, "moto answers")
            gaps = Gaps()
            with front_of(f"http://127.0.0.1:{port}", gaps.answer, gaps.mend) as front:
                yield front.url, gaps
        finally:
            server.kill()
