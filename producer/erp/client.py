"""The ERP API over HTTP: the only module that knows aiohttp.

aiohttp rather than httpx, because aiobotocore brings it anyway.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime

import aiohttp
import stamina

from producer.erp.credentials import Credentials
from producer.erp.retry_after import retry_after_seconds
from producer.errors import (
    AnswerRejected,
    ErpError,
    ErpRefused,
    ErpUnauthorized,
    ErpUnavailable,
    NotJson,
    SettingsInvalid,
)
from producer.json_text import parse_json
from producer.pulling.answers import Answer, error_text
from producer.rate_limit import RateLimit
from producer.settings import Settings
from schemas.registry import Endpoint

_COME_BACK = frozenset({408, 425, 429})
_EXCERPT_BYTES = 8 * 1024
# Checking more than that would hold up every other request.
_LARGE_BYTES = 1024 * 1024
_PERMANENT = (aiohttp.ClientSSLError, aiohttp.InvalidURL, aiohttp.NonHttpUrlClientError)


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
        SettingsInvalid: API_BASE_URL is not set, or API_TOKEN_FILE holds no token.
    """
    if settings.api_base_url is None:
        raise SettingsInvalid("API_BASE_URL is not set; export it or add it to .env")
    headers = {"Accept": "application/json", "User-Agent": "coco-producer"}
    credentials = Credentials(settings)
    timeout = aiohttp.ClientTimeout(
        total=settings.pull_request_timeout_seconds, connect=settings.pull_connect_timeout_seconds
    )
    retry_policy = RetryPolicy(
        requests_per_second=settings.pull_requests_per_second,
        max_attempts=settings.pull_max_attempts,
        backoff_initial_seconds=settings.pull_backoff_initial_seconds,
        backoff_max_seconds=settings.pull_backoff_max_seconds,
        retry_after_max_seconds=settings.pull_retry_after_max_seconds,
        max_answer_bytes=settings.pull_max_answer_bytes,
    )
    connector = aiohttp.TCPConnector(limit=settings.pull_concurrency)
    async with aiohttp.ClientSession(
        connector=connector, headers=headers, timeout=timeout
    ) as session:
        yield HttpErp(session, str(settings.api_base_url).rstrip("/"), credentials, retry_policy)


class HttpErp:
    """The five endpoints behind one address."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        base_url: str,
        credentials: Credentials,
        retry_policy: RetryPolicy,
    ) -> None:
        self._session = session
        self._base_url = base_url
        self._credentials = credentials
        self._retry_policy = retry_policy
        self._rate_limit = RateLimit(retry_policy.requests_per_second)
        self._quiet_until = 0.0

    async def ask(
        self, endpoint: Endpoint, store_id: str, bus_dt: date, check: Callable[[Answer], None]
    ) -> Answer:
        """Ask until an answer passes `check` or attempts run out; safe to repeat.

        Waits between attempts grow exponentially with jitter. A Retry-After header replaces the
        wait and holds back all other requests too, because limits apply to the caller. Every
        attempt takes its turn under the rate limit.

        Args:
            endpoint: The endpoint to ask.
            store_id: Raw store id.
            bus_dt: Business date.
            check: Raises AnswerRejected for an answer that must be asked for again.

        Raises:
            ErpUnavailable: Every attempt failed, or Retry-After is longer than allowed.
            ErpRefused: A status other than 200 that asking again will not change.
            AnswerRejected: No answer passed `check`.
        """
        body = {"busDt": bus_dt.isoformat(), "storeId": store_id}
        async for attempt in stamina.retry_context(
            on=self._wait_before_retry,
            attempts=self._retry_policy.max_attempts,
            timeout=None,
            wait_initial=self._retry_policy.backoff_initial_seconds,
            wait_max=self._retry_policy.backoff_max_seconds,
            wait_jitter=self._retry_policy.backoff_initial_seconds,
        ):
            with attempt:
                answer = await self._ask_renewing(endpoint.path, body)
                if len(answer.body) > _LARGE_BYTES:
                    await asyncio.to_thread(check, answer)
                else:
                    check(answer)
                return answer
        raise AssertionError("unreachable: the last attempt returns or raises")

    async def _ask_renewing(self, path: str, body: dict[str, str]) -> Answer:
        """Ask; after a 401, read the token again and ask once more."""
        await self._turn()
        try:
            return await self._ask_once(path, body)
        except ErpUnauthorized:
            if not self._credentials.renew():
                raise
        await self._turn()
        return await self._ask_once(path, body)

    def _wait_before_retry(self, error: Exception) -> bool | float:
        if isinstance(error, AnswerRejected):
            return True
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

    async def _ask_once(self, path: str, body: dict[str, str]) -> Answer:
        started = time.perf_counter()
        try:
            async with self._session.post(
                self._base_url + path,
                json=body,
                headers=self._credentials.headers(),
                # A redirect would turn the POST into a GET and end on a login page.
                allow_redirects=False,
            ) as response:
                if response.status != 200:
                    raise await _refusal(response)
                content = await self._read(response)
                return Answer(
                    body=content,
                    content_type=response.content_type,
                    status=response.status,
                    pulled_at=datetime.now(UTC),
                    duration_seconds=time.perf_counter() - started,
                )
        except TimeoutError as error:
            raise ErpUnavailable(f"no answer in time from {path}") from error
        except aiohttp.ClientError as error:
            raise map_error(error) from error

    async def _read(self, response: aiohttp.ClientResponse) -> bytes:
        content = bytearray()
        async for chunk in response.content.iter_any():
            content += chunk
            if len(content) > self._retry_policy.max_answer_bytes:
                raise ErpRefused(
                    f"the answer is larger than {self._retry_policy.max_answer_bytes} bytes; raise "
                    "PULL_MAX_ANSWER_BYTES if such answers are expected"
                )
        return bytes(content)


def map_error(error: aiohttp.ClientError) -> ErpError:
    """Return the error for one of aiohttp's; the caller raises it `from` the original."""
    reason = str(error) or type(error).__name__
    if isinstance(error, _PERMANENT):
        return ErpRefused(f"cannot talk to the ERP, check API_BASE_URL: {reason}")
    return ErpUnavailable(f"connection to the ERP failed: {reason}")


async def _refusal(response: aiohttp.ClientResponse) -> ErpUnavailable | ErpRefused:
    """Return the error for a status other than 200."""
    message = f"the ERP answered {response.status}{await _excerpt(response)}"
    if response.status in _COME_BACK or response.status >= 500:
        wait = retry_after_seconds(response.headers.get("Retry-After"), datetime.now(UTC))
        if wait is not None:
            message += f"; it asks to wait {wait:g} s"
        return ErpUnavailable(message, wait)
    if response.status in (401, 403):
        message += "; check API_TOKEN, API_TOKEN_FILE or API_KEY, and what they may read"
    return (ErpUnauthorized if response.status == 401 else ErpRefused)(message)


async def _excerpt(response: aiohttp.ClientResponse) -> str:
    """Return the text of an error body, or nothing; never fails over a broken one."""
    try:
        async with asyncio.timeout(5):
            document = parse_json(await response.content.read(_EXCERPT_BYTES))
    except (NotJson, TimeoutError, aiohttp.ClientError):
        return ""
    return f": {error_text(document)}" if isinstance(document, dict) and document else ""
