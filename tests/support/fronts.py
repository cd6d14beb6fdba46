"""S3 and SQS behind an HTTP server of the test's own, which may answer instead of them."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from aiohttp import ClientSession, web

# Answers a request with its body, or leaves it to the server behind.
Answer = Callable[[web.Request, bytes], web.Response | None]
# Gives what the server should have said to a request with its body, instead of what it said.
Mend = Callable[[web.Request, bytes, bytes], bytes]

# Headers about one connection, not about the message (RFC 9110, section 7.6.1)
_OF_THE_CONNECTION = frozenset({"connection", "keep-alive", "transfer-encoding", "expect", "host"})
_LARGEST_BODY_BYTES = 64 * 2**20


class Front:
    """Passes requests on to a server; those that `answer` answers never get there."""

    def __init__(self, server_url: str, answer: Answer, mend: Mend | None = None) -> None:
        self.answer = answer
        self._mend = mend
        self.url = ""
        self._server_url = server_url
        self._ready = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._closing = asyncio.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        assert self._ready.wait(10)

    def close(self) -> None:
        """Stop serving."""
        self._loop.call_soon_threadsafe(self._closing.set)
        self._thread.join()

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        async with ClientSession(self._server_url, auto_decompress=False) as session:

            async def handle(request: web.Request) -> web.Response:
                body = await request.read()
                # An answer without a body is false.
                answer = self.answer(request, body)
                if answer is not None:
                    return answer
                passed_on = await _passed_on(request, body, session)
                if self._mend is not None and isinstance(passed_on.body, bytes):
                    passed_on.body = self._mend(request, body, passed_on.body)
                    passed_on.headers["Content-Length"] = str(len(passed_on.body))
                return passed_on

            app = web.Application(client_max_size=_LARGEST_BODY_BYTES)
            app.router.add_route("*", "/{path:.*}", handle)
            runner = web.AppRunner(app, access_log=None, handler_cancellation=True)
            await runner.setup()
            site = web.TCPSite(runner, "127.0.0.1", 0)
            await site.start()
            self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
            self._ready.set()
            await self._closing.wait()
            await runner.cleanup()


async def _passed_on(request: web.Request, body: bytes, session: ClientSession) -> web.Response:
    headers = {name: value for name, value in request.headers.items() if _is_of_the_message(name)}
    async with session.request(
        request.method, request.raw_path, headers=headers, data=body
    ) as answer:
        said = [(name, text) for name, text in answer.headers.items() if _is_of_the_message(name)]
        return web.Response(status=answer.status, headers=said, body=await answer.read())


def _is_of_the_message(name: str) -> bool:
    return name.lower() not in _OF_THE_CONNECTION


def sqs_action(request: web.Request) -> str:
    """Return what is asked of SQS; empty when the request is for S3."""
    return request.headers.get("X-Amz-Target", "").rpartition(".")[2]


@contextmanager
def front_of(server_url: str, answer: Answer, mend: Mend | None = None) -> Iterator[Front]:
    """Run a front while the block runs."""
    front = Front(server_url, answer, mend)
    try:
        yield front
    finally:
        front.close()
