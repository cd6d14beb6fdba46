"""The ERP API over HTTP: asking for an answer until it comes.

aiohttp rather than httpx, because aiobotocore brings it anyway.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import aiohttp
import stamina
from yarl import URL

from producer.erp.connection import ErpConnection, erp_connection
from producer.erp.credentials import Credentials
from producer.erp.pages import join_pages, next_url
from producer.erp.refusals import map_error, refusal
from producer.errors import AnswerRejected, ErpRefused, ErpUnauthorized, ErpUnavailable
from producer.pulling.answers import Answer, Reading, doubt_about
from producer.pulling.targets import PullTarget
from producer.rate_limit import RateLimit
from producer.settings import Settings
from runtime.sockets import watched_socket

# Reading more than that would hold up every other request.
_LARGE_BYTES = 1024 * 1024
_MAX_PAGES = 10_000

Read = Callable[[Answer, PullTarget], Reading]


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often and how long to try for one answer, and how large it may be."""

    requests_per_second: float
    max_attempts: int
    backoff_initial_seconds: float
    backoff_max_seconds: float
    retry_after_max_seconds: float
    max_answer_bytes: int


@asynccontextmanager
async def open_erp(settings: Settings) -> AsyncIterator["HttpErp"]:
    """Open an HTTP session to the ERP for the block; connects on the first request.

    Raises:
        SettingsInvalid: The address, a certificate or the proxy is unusable, or API_TOKEN_FILE
            holds no token.
    """
    connection = erp_connection(settings)
    credentials = Credentials(settings)
    retry_policy = RetryPolicy(
        requests_per_second=settings.pull_requests_per_second,
        max_attempts=settings.pull_max_attempts,
        backoff_initial_seconds=settings.pull_backoff_initial_seconds,
        backoff_max_seconds=settings.pull_backoff_max_seconds,
        retry_after_max_seconds=settings.pull_retry_after_max_seconds,
        max_answer_bytes=settings.pull_max_answer_bytes,
    )
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(
            limit=settings.pull_concurrency, ssl=connection.tls, socket_factory=watched_socket
        ),
        headers={"Accept": "application/json", "User-Agent": "coco-producer"},
        proxy=connection.proxy,
        timeout=aiohttp.ClientTimeout(
            total=settings.pull_request_timeout_seconds,
            connect=settings.pull_connect_timeout_seconds,
            sock_read=settings.pull_read_timeout_seconds,
        ),
    ) as session:
        yield HttpErp(session, connection, credentials, retry_policy)


class HttpErp:
    """The five endpoints behind one address."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        connection: ErpConnection,
        credentials: Credentials,
        retry_policy: RetryPolicy,
    ) -> None:
        self._session = session
        self._base_url = connection.base_url
        self._credentials = credentials
        self._retry_policy = retry_policy
        self._rate_limit = RateLimit(retry_policy.requests_per_second)
        self._quiet_until = 0.0

    async def ask(self, target: PullTarget, read: Read) -> Answer:
        """Ask until `read` accepts the answer or attempts run out; safe to repeat.

        Waits between attempts grow exponentially with jitter. A Retry-After header replaces the
        wait and holds back all other requests too, because limits apply to the caller. Every
        attempt takes its turn under the rate limit. An answer that may be of another day is asked
        for again, and returned with its doubt if it stays so.

        Args:
            target: What to ask for.
            read: Reads an answer; raises AnswerRejected for one that must be asked for again.

        Raises:
            ErpUnavailable: Every attempt failed, or Retry-After is longer than allowed.
            ErpMisconfigured: TLS, the proxy or the address does not work as configured.
            ErpRefused: A status other than 200 that asking again will not change.
            AnswerRejected: No answer was accepted.
        """
        async for attempt in stamina.retry_context(
            on=self._wait_before_retry,
            attempts=self._retry_policy.max_attempts,
            timeout=None,
            wait_initial=self._retry_policy.backoff_initial_seconds,
            wait_max=self._retry_policy.backoff_max_seconds,
            wait_jitter=self._retry_policy.backoff_initial_seconds,
        ):
            with attempt:
                answer = await self._ask_all_pages(target, read)
                if answer.doubt and attempt.num < self._retry_policy.max_attempts:
                    raise AnswerRejected(answer.doubt)
                return answer
        raise AssertionError("unreachable: the last attempt returns or raises")

    async def _ask_all_pages(self, target: PullTarget, read: Read) -> Answer:
        """Return one attempt's answer; its pages are joined if it comes in parts."""
        url = URL(f"{self._base_url}{target.endpoint.path}")
        body = {"busDt": target.bus_dt.isoformat(), "storeId": target.store_id}
        pages, readings, asked = list[Answer](), list[Reading](), set[URL]()
        while True:
            asked.add(url)
            pages.append(await self._ask_renewing(url, body))
            readings.append(await _off_loop(pages[-1].body, read, pages[-1], target))
            more = readings[-1].more
            # The last of N pages may say so by its count alone.
            if more is None or (more.link is None and more.page_count == len(pages) > 1):
                break
            url = next_url(more, self._base_url, url, target.endpoint.path)
            if url in asked or len(asked) > _MAX_PAGES:
                raise AnswerRejected(f"the ERP's pages do not end: {more.field} leads back")
            self._check_size(sum(len(page.body) for page in pages))
        answer = replace(pages[-1], doubt=doubt_about(readings, target))
        if len(pages) == 1:
            return answer
        bodies = [page.body for page in pages]
        duration = sum(page.duration_seconds for page in pages)
        joined = await asyncio.to_thread(join_pages, bodies)
        return replace(answer, body=joined, duration_seconds=duration)

    async def _ask_renewing(self, url: URL, body: dict[str, str]) -> Answer:
        """Ask; after a 401, read the token again and ask once more."""
        await self._turn()
        try:
            return await self._ask_once(url, body)
        except ErpUnauthorized:
            if not self._credentials.renew():
                raise
        await self._turn()
        return await self._ask_once(url, body)

    def _wait_before_retry(self, error: Exception) -> bool | float:
        if isinstance(error, AnswerRejected):
            return error.ask_again
        if not isinstance(error, ErpUnavailable):
            return False
        if error.retry_after_seconds is None:
            return True
        if error.retry_after_seconds > self._retry_policy.retry_after_max_seconds:
            return False
        until = asyncio.get_running_loop().time() + error.retry_after_seconds
        self._quiet_until = max(self._quiet_until, until)
        return error.retry_after_seconds

    async def _turn(self) -> None:
        """Wait until a request may be sent."""
        await self._rate_limit.turn()
        # Another task may have met a Retry-After meanwhile. After waiting for its end everyone
        # takes a new turn, or all would ask at once.
        while (left_seconds := self._quiet_until - asyncio.get_running_loop().time()) > 0:
            await asyncio.sleep(left_seconds)
            await self._rate_limit.turn()

    async def _ask_once(self, url: URL, body: dict[str, str]) -> Answer:
        started = time.perf_counter()
        try:
            async with self._session.post(
                url,
                json=body,
                headers=self._credentials.headers(),
                # A redirect would turn the POST into a GET and end on a login page.
                allow_redirects=False,
            ) as response:
                if response.status != 200:
                    raise await refusal(response)
                content = await self._read(response)
                return Answer(
                    body=content,
                    content_type=response.content_type,
                    status=response.status,
                    pulled_at=datetime.now(UTC),
                    duration_seconds=time.perf_counter() - started,
                    next_link=_next_link(response),
                )
        except TimeoutError as error:
            raise ErpUnavailable(f"no answer in time from {url.path}") from error
        except aiohttp.ClientError as error:
            raise map_error(error) from error

    async def _read(self, response: aiohttp.ClientResponse) -> bytes:
        content = bytearray()
        async for chunk in response.content.iter_any():
            content += chunk
            self._check_size(len(content))
        return bytes(content)

    def _check_size(self, size_bytes: int) -> None:
        if size_bytes > self._retry_policy.max_answer_bytes:
            raise ErpRefused(
                f"the answer is larger than {self._retry_policy.max_answer_bytes} bytes; raise "
                "PULL_MAX_ANSWER_BYTES if such answers are expected"
            )


def _next_link(response: aiohttp.ClientResponse) -> str | None:
    link = response.links.get("next")
    return str(link["url"]) if link else None


async def _off_loop(body: bytes, read: Read, answer: Answer, target: PullTarget) -> Reading:
    if len(body) > _LARGE_BYTES:
        return await asyncio.to_thread(read, answer, target)
    return read(answer, target)
