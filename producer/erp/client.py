"""The ERP API over HTTP: asking for an answer until it comes."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime

import aiohttp
import stamina
import structlog
from stamina.instrumentation import RetryDetails, set_on_retry_hooks
from yarl import URL

from producer.erp.connection import Credentials, base_url_of, proxy_for, tls_of
from producer.erp.pages import join_pages, next_url
from producer.erp.refusals import map_error, refusal
from producer.errors import AnswerRejected, ErpRefused, ErpUnauthorized, ErpUnavailable
from producer.pool import off_loop_if_large
from producer.pulling.answers import Answer, Reading, check_whole, doubt_about, read_answer
from producer.pulling.targets import PullTarget
from producer.rate_limit import RateLimit
from producer.settings import Settings
from runtime.sockets import watched_socket

_MAX_PAGES = 10_000

log = structlog.get_logger(__name__)


@asynccontextmanager
async def open_erp(settings: Settings) -> AsyncIterator["HttpErp"]:
    """Open an HTTP session to the ERP for the block; SettingsInvalid says what is unusable."""
    set_on_retry_hooks([_log_retry])
    base_url = base_url_of(settings)
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(
            limit=settings.pull_concurrency, ssl=tls_of(settings), socket_factory=watched_socket
        ),
        headers={"Accept": "application/json", "User-Agent": "coco-producer"},
        proxy=proxy_for(base_url),
        timeout=aiohttp.ClientTimeout(
            total=settings.pull_request_timeout_seconds,
            connect=settings.pull_connect_timeout_seconds,
            sock_read=settings.pull_read_timeout_seconds,
        ),
    ) as session:
        yield HttpErp(session, base_url, settings)


def _log_retry(details: RetryDetails) -> None:
    log.warning(
        "erp_retry_scheduled",
        attempt=details.retry_num + 1,
        wait_seconds=round(details.wait_for, 3),
        code=getattr(details.caused_by, "code", type(details.caused_by).__name__),
        reason=str(details.caused_by),
    )


class HttpErp:
    """The endpoints behind one address."""

    def __init__(self, session: aiohttp.ClientSession, base_url: URL, settings: Settings) -> None:
        self._session = session
        self._base_url = base_url
        self._settings = settings
        self._credentials = Credentials(settings)
        self._rate_limit = RateLimit(settings.pull_requests_per_second)
        self._quiet_until = 0.0

    async def ask(self, target: PullTarget) -> Answer:
        """Ask until an answer is accepted or attempts run out; safe to repeat.

        Waits grow exponentially with jitter. A Retry-After replaces the wait and holds back all
        other requests too, because limits apply to the caller. An answer that may be of another
        day is asked for again, and returned with its doubt if it stays so. Raises an ErpError.
        """
        max_attempts = self._settings.pull_max_attempts
        async for attempt in stamina.retry_context(
            on=self._wait_before_retry,
            attempts=max_attempts,
            timeout=None,
            wait_initial=self._settings.pull_backoff_initial_seconds,
            wait_max=self._settings.pull_backoff_max_seconds,
            wait_jitter=self._settings.pull_backoff_initial_seconds,
        ):
            with attempt:
                answer = await self._ask_all_pages(target)
                if answer.doubt and attempt.num < max_attempts:
                    raise AnswerRejected(answer.doubt)
                return answer
        raise AssertionError("unreachable: the last attempt returns or raises")

    async def _ask_all_pages(self, target: PullTarget) -> Answer:
        url = URL(f"{self._base_url}{target.endpoint.path}")
        body = {"busDt": target.bus_dt.isoformat(), "storeId": target.store_id}
        pages, readings, asked = list[Answer](), list[Reading](), set[URL]()
        while True:
            asked.add(url)
            page = await self._ask_renewing(url, body)
            pages.append(page)
            readings.append(await off_loop_if_large(len(page.body), read_answer, page, target))
            more = readings[-1].more
            # The last of N pages may say so by its count alone.
            if more is None or (more.link is None and more.page_count == len(pages) > 1):
                break
            url = next_url(more, self._base_url, url, target.endpoint.path)
            if url in asked or len(asked) > _MAX_PAGES:
                raise AnswerRejected(f"the ERP's pages do not end: {more.field} leads back")
            self._check_size(sum(len(page.body) for page in pages))
        check_whole(readings)
        answer = replace(pages[-1], doubt=doubt_about(readings, target))
        if len(pages) == 1:
            return answer
        duration = sum(page.duration_seconds for page in pages)
        joined = await asyncio.to_thread(join_pages, [page.body for page in pages])
        return replace(answer, body=joined, duration_seconds=duration)

    async def _ask_renewing(self, url: URL, body: dict[str, str]) -> Answer:
        try:
            return await self._ask_once(url, body)
        except ErpUnauthorized:
            if not self._credentials.renew():
                raise
        return await self._ask_once(url, body)

    def _wait_before_retry(self, error: Exception) -> bool | float:
        if isinstance(error, AnswerRejected):
            return error.ask_again
        if not isinstance(error, ErpUnavailable):
            return False
        if error.retry_after_seconds is None:
            return True
        if error.retry_after_seconds > self._settings.pull_retry_after_max_seconds:
            return False
        until = asyncio.get_running_loop().time() + error.retry_after_seconds
        self._quiet_until = max(self._quiet_until, until)
        return error.retry_after_seconds

    async def _turn(self) -> None:
        await self._rate_limit.turn()
        # Another task may have met a Retry-After meanwhile. After waiting for its end everyone
        # takes a new turn, or all would ask at once.
        while (left_seconds := self._quiet_until - asyncio.get_running_loop().time()) > 0:
            await asyncio.sleep(left_seconds)
            await self._rate_limit.turn()

    async def _ask_once(self, url: URL, body: dict[str, str]) -> Answer:
        await self._turn()
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
                content = bytearray()
                async for chunk in response.content.iter_any():
                    content += chunk
                    self._check_size(len(content))
                link = response.links.get("next")
                return Answer(
                    body=bytes(content),
                    content_type=response.content_type,
                    pulled_at=datetime.now(UTC),
                    duration_seconds=time.perf_counter() - started,
                    next_link=str(link["url"]) if link else None,
                )
        except TimeoutError as error:
            raise ErpUnavailable(f"no answer in time from {url.path}") from error
        except aiohttp.ClientError as error:
            raise map_error(error) from error

    def _check_size(self, size_bytes: int) -> None:
        if size_bytes > self._settings.pull_max_answer_bytes:
            raise ErpRefused(
                f"the answer is larger than {self._settings.pull_max_answer_bytes} bytes; raise "
                "PULL_MAX_ANSWER_BYTES if such answers are expected"
            )
