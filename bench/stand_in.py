"""A lake and a queue that cost next to nothing: S3 and SQS in one small process, in memory.

LocalStack takes several milliseconds for a call, more than the programs that are measured. This
answers what they ask, as S3 and SQS (JSON protocol) do, and notes when messages went.
"""

import asyncio
import hashlib
import json
import multiprocessing
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from email.utils import format_datetime
from multiprocessing.queues import Queue
from time import perf_counter
from typing import Any
from urllib.parse import quote_plus
from urllib.request import Request, urlopen

from aiohttp import web

from bench.documents import BUCKET, WRITTEN_AT

QUEUE_PATH = "/000000000000/bench"
_TARGET = "X-Amz-Target"
_TIMEOUT_SECONDS = 60
_ATTRIBUTES = {
    "ApproximateNumberOfMessages": "0",
    "ApproximateNumberOfMessagesNotVisible": "0",
    "ApproximateNumberOfMessagesDelayed": "0",
    "VisibilityTimeout": "60",
    "RedrivePolicy": json.dumps({"maxReceiveCount": 5}),
}


class StandIn:
    """The running process, from outside."""

    def __init__(self, port: int) -> None:
        self.endpoint = f"http://127.0.0.1:{port}"

    @property
    def environment(self) -> dict[str, str]:
        """The variables that lead a program here."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "bench",
            "AWS_SECRET_ACCESS_KEY": "bench",
            "BUCKET_NAME": BUCKET,
            "QUEUE_URL": f"{self.endpoint}{QUEUE_PATH}",
            "DLQ_URL": f"{self.endpoint}{QUEUE_PATH}-dlq",
        }

    def announce(self, keys: list[str]) -> None:
        """Send an event for each of these objects."""
        self._call("announce", {"keys": keys})

    def seconds(self) -> float:
        """Return the time from the first receipt of what was announced to the last deletion."""
        return float(self._call("seconds", {}))

    def _call(self, name: str, body: Mapping[str, Any]) -> Any:
        request = Request(  # noqa: S310 - our own address
            f"{self.endpoint}/control/{name}", json.dumps(body).encode(), method="POST"
        )
        with urlopen(request, timeout=_TIMEOUT_SECONDS) as answer:  # noqa: S310 - likewise
            return json.loads(answer.read())


@contextmanager
def running(objects: Mapping[str, bytes]) -> Iterator[StandIn]:
    """Run the stand-in with these objects, by key, in a process of its own."""
    context = multiprocessing.get_context("spawn")
    ports: Queue[int] = context.Queue()
    process = context.Process(target=_serve, args=(dict(objects), ports), daemon=True)
    process.start()
    try:
        yield StandIn(ports.get(timeout=_TIMEOUT_SECONDS))
    finally:
        process.kill()
        process.join()


def _serve(objects: dict[str, bytes], ports: "Queue[int]") -> None:
    async def serve() -> None:
        runner = web.AppRunner(_Application(objects).routes(), access_log=None)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        ports.put(runner.addresses[0][1])
        await asyncio.Event().wait()

    asyncio.run(serve())


class _Application:
    """What is in memory, and the answers."""

    def __init__(self, objects: Mapping[str, bytes]) -> None:
        self._objects = objects
        self._etags = {
            key: hashlib.md5(data, usedforsecurity=False).hexdigest()
            for key, data in objects.items()
        }
        self._messages: deque[dict[str, Any]] = deque()
        self._arrived = asyncio.Event()
        self._count = 0
        self._first_receipt = self._last_deletion = 0.0

    def routes(self) -> web.Application:
        application = web.Application()
        application.router.add_post("/control/announce", self._announce)
        application.router.add_post("/control/seconds", self._seconds)
        application.router.add_post("/", self._queue)
        application.router.add_head(f"/{BUCKET}", self._nothing)
        application.router.add_get(f"/{BUCKET}/{{key:.*}}", self._get)
        application.router.add_put(f"/{BUCKET}/{{key:.*}}", self._nothing)
        return application

    async def _nothing(self, request: web.Request) -> web.Response:
        await request.read()
        return web.Response()

    async def _get(self, request: web.Request) -> web.Response:
        key = request.match_info["key"]
        if key not in self._objects:
            return web.Response(status=404, text="<Error><Code>NoSuchKey</Code></Error>")
        headers = {
            "ETag": f'"{self._etags[key]}"',
            "Last-Modified": format_datetime(WRITTEN_AT, usegmt=True),
            "Content-Type": "application/json",
        }
        return web.Response(body=self._objects[key], headers=headers)

    async def _announce(self, request: web.Request) -> web.Response:
        self._first_receipt = 0.0
        for key in (await request.json())["keys"]:
            self._count += 1
            self._messages.append(
                {
                    "MessageId": str(self._count),
                    "ReceiptHandle": str(self._count),
                    "Body": self._event(key),
                    "Attributes": {
                        "ApproximateReceiveCount": "1",
                        "SentTimestamp": "1700000000000",
                    },
                }
            )
        self._arrived.set()
        return web.json_response(len(self._messages))

    def _event(self, key: str) -> str:
        stored = {"key": quote_plus(key), "size": len(self._objects[key]), "eTag": self._etags[key]}
        record = {
            "eventVersion": "2.5",
            "eventSource": "aws:s3",
            "eventName": "ObjectCreated:Put",
            "eventTime": WRITTEN_AT.isoformat().replace("+00:00", "Z"),
            "s3": {
                "bucket": {"name": BUCKET},
                "object": stored | {"sequencer": f"{self._count:016X}"},
            },
        }
        return json.dumps({"Records": [record]})

    async def _seconds(self, request: web.Request) -> web.Response:
        await request.read()
        return web.json_response(self._last_deletion - self._first_receipt)

    async def _queue(self, request: web.Request) -> web.Response:
        asked = await request.json()
        match request.headers[_TARGET].removeprefix("AmazonSQS."):
            case "ReceiveMessage":
                answer = await self._receive(asked)
            case "DeleteMessageBatch":
                self._last_deletion = perf_counter()
                entries = [{"Id": entry["Id"]} for entry in asked["Entries"]]
                answer = {"Successful": entries, "Failed": []}
            case "GetQueueAttributes":
                answer = {"Attributes": _ATTRIBUTES}
            case _:  # leases are not what is measured
                answer = {"Successful": [], "Failed": []}
        return web.json_response(answer)

    async def _receive(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        if not self._messages:
            self._arrived.clear()
            try:
                await asyncio.wait_for(self._arrived.wait(), asked.get("WaitTimeSeconds", 0))
            except TimeoutError:
                return {}
        self._first_receipt = self._first_receipt or perf_counter()
        count = min(asked.get("MaxNumberOfMessages", 1), len(self._messages))
        return {"Messages": [self._messages.popleft() for _ in range(count)]}
