"""What messages cost at the least: receive, GET and delete by aiobotocore, and nothing else.

    python -m bench.bare_loop MESSAGES

As anybody would write it: ten messages a call, their objects read together, one call to delete.
"""

import asyncio
import json
import os
import sys
from typing import Any
from urllib.parse import unquote_plus

from aiobotocore.session import get_session


async def work(count: int) -> None:
    """Receive, read and delete that many messages."""
    session, endpoint = get_session(), os.environ["AWS_ENDPOINT_URL"]
    region, queue = os.environ["AWS_REGION"], os.environ["QUEUE_URL"]
    async with (
        session.create_client("sqs", region, endpoint_url=endpoint) as sqs,
        session.create_client("s3", region, endpoint_url=endpoint) as s3,
    ):

        async def read(message: Any) -> bytes:
            stored = json.loads(message["Body"])["Records"][0]["s3"]
            answer = await s3.get_object(
                Bucket=stored["bucket"]["name"], Key=unquote_plus(stored["object"]["key"])
            )
            async with answer["Body"] as body:
                return bytes(await body.read())

        while count > 0:
            answer = await sqs.receive_message(
                QueueUrl=queue, MaxNumberOfMessages=10, WaitTimeSeconds=20
            )
            messages = answer.get("Messages", [])
            await asyncio.gather(*(read(message) for message in messages))
            entries: list[Any] = [
                {"Id": str(place), "ReceiptHandle": message["ReceiptHandle"]}
                for place, message in enumerate(messages)
            ]
            await sqs.delete_message_batch(QueueUrl=queue, Entries=entries)
            count -= len(messages)


if __name__ == "__main__":
    asyncio.run(work(int(sys.argv[1])))
