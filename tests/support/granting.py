"""S3 and SQS behind a front that grants what a policy grants, and answers AccessDenied to the rest.

LocalStack itself lets anybody do anything. Which permission a call needs: the Service
Authorization Reference of Amazon S3 and of Amazon SQS.
"""

import html
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple
from urllib.parse import unquote

from aiohttp import web

from tests.support.fronts import front_of, sqs_action

_OF_A_BUCKET = {
    "notification": "s3:GetBucketNotification",
    "versioning": "s3:GetBucketVersioning",
    "versions": "s3:ListBucketVersions",
    "encryption": "s3:GetEncryptionConfiguration",
    "publicAccessBlock": "s3:GetBucketPublicAccessBlock",
    "uploads": "s3:ListBucketMultipartUploads",
}
_DELETED_KEY = re.compile(rb"<Key>(.*?)</Key>", re.DOTALL)


class Call(NamedTuple):
    """An action on a resource, both as IAM spells them."""

    action: str
    arn: str


class Grant(NamedTuple):
    """An action that a policy allows on the resources that a pattern matches."""

    action: str
    pattern: str

    def covers(self, call: Call) -> bool:
        """Say whether a call is allowed by it; actions are granted by their whole names."""
        wanted = "".join({"*": ".*", "?": "."}.get(one, re.escape(one)) for one in self.pattern)
        return self.action == call.action and re.fullmatch(wanted, call.arn, re.DOTALL) is not None


def grants_of(policy: Mapping[str, Any]) -> set[Grant]:
    """Return what a policy allows; it must hold nothing that we would not judge as IAM does."""
    found: set[Grant] = set()
    for statement in policy["Statement"]:
        assert set(statement) == {"Sid", "Effect", "Action", "Resource"}, statement
        assert statement["Effect"] == "Allow"
        actions, patterns = _listed(statement["Action"]), _listed(statement["Resource"])
        found |= {Grant(action, pattern) for action in actions for pattern in patterns}
    return found


class Gate:
    """Who works behind a policy: where to reach AWS, what was used of it, and what was denied."""

    def __init__(self, policy: Mapping[str, Any], queue_arn_prefix: str) -> None:
        self.grants = grants_of(policy)
        self.used: set[Grant] = set()
        self.denied: set[Call] = set()
        self.url = ""
        self._queue_arn_prefix = queue_arn_prefix

    def answer(self, request: web.Request, body: bytes) -> web.Response | None:
        """Deny what no grant covers; let the rest pass."""
        denied = False
        for call in self._calls(request, body):
            covering = {grant for grant in self.grants if grant.covers(call)}
            self.used |= covering
            if not covering:
                self.denied.add(call)
                denied = True
        return _denial(request) if denied else None

    def _calls(self, request: web.Request, body: bytes) -> list[Call]:
        if action := sqs_action(request):
            queue = json.loads(body)["QueueUrl"].rpartition("/")[2]
            # A batch needs the permission of the single call.
            return [Call(f"sqs:{action.removesuffix('Batch')}", f"{self._queue_arn_prefix}{queue}")]
        path = unquote(request.raw_path.partition("?")[0]).lstrip("/")
        bucket, _, key = path.partition("/")
        if request.method == "POST" and not key and "delete" in request.query:
            keys = [html.unescape(found.decode()) for found in _DELETED_KEY.findall(body)]
            return [Call("s3:DeleteObject", f"arn:aws:s3:::{bucket}/{one}") for one in keys]
        arn = f"arn:aws:s3:::{path}" if key else f"arn:aws:s3:::{bucket}"
        return [Call(_s3_action(request, is_object=bool(key)), arn)]


def _s3_action(request: web.Request, *, is_object: bool) -> str:
    asked = request.query
    if is_object and request.method in {"GET", "HEAD"}:
        return "s3:GetObjectVersion" if "versionId" in asked else "s3:GetObject"
    if is_object and request.method in {"PUT", "POST"} and not asked.keys() & {"acl", "tagging"}:
        return "s3:PutObject"  # its parts too
    if is_object and request.method == "DELETE":
        return "s3:AbortMultipartUpload" if "uploadId" in asked else "s3:DeleteObject"
    if not is_object and request.method in {"GET", "HEAD"}:
        named = [action for name, action in _OF_A_BUCKET.items() if name in asked]
        is_listing = "list-type" in asked or request.method == "HEAD"
        return named[0] if named else "s3:ListBucket" if is_listing else "s3:Unknown"
    return "s3:Unknown"


def _denial(request: web.Request) -> web.Response:
    if sqs_action(request):
        said = {"__type": "com.amazonaws.sqs#AccessDenied", "message": "not granted"}
        headers = {"x-amzn-errortype": "AccessDenied"}
        return web.json_response(said, status=403, headers=headers)
    text = "<Error><Code>AccessDenied</Code><Message>not granted</Message></Error>"
    said_to_head = None if request.method == "HEAD" else text
    return web.Response(status=403, content_type="application/xml", text=said_to_head)


def _listed(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value]


@contextmanager
def gate_of(server_url: str, policy: Mapping[str, Any], queue_arn: str) -> Iterator[Gate]:
    """Run a gate before the server while the block runs; `queue_arn` is of any of its queues."""
    gate = Gate(policy, queue_arn.rpartition(":")[0] + ":")
    with front_of(server_url, gate.answer) as front:
        gate.url = front.url
        yield gate
