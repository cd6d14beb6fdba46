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
    AnswerRejectedError,
    ConfigurationError,
    ErpError,
    ErpRefusedError,
    ErpUnauthorizedError,
    ErpUnavailableError,
    NotJsonError,
)
from producer.json_text import parse_json
from producer.pulling.answers import Answer, error_text
from producer.rate_limit import RateLimit
from producer.settings import Settings
from schemas.sources import Endpoint

_COME_BACK = frozenset({408, 425, 429})
_EXCERPT_BYTES = 8 * 1024
# Checking more than that would hold up every other request.
_LARGE_BYTES = 1024 * 1024
_PERMANENT = (aiohttp.ClientSSLError, aiohttp.InvalidURL, aiohttp.NonHttpUrlClientError)


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often and how long one answer is tried for, and how large it may be."""

    requests_per_second: float
    max_attempts: int
    backoff_initial_seconds: float
    backoff_max_seconds: float
    retry_after_max_seconds: float
    max_answer_bytes: int


@asynccontextmanager
async def open_erp(settings: Settings) -> AsyncIterator["HttpErp"]:
    """Hold the connections to the ERP while the block runs; connects on the first request.

    Raises:
        ConfigurationError: API_BASE_URL is not set, or API_TOKEN_FILE holds no token.
    """
    if settings.api_base_url is None:
        raise ConfigurationError("API_BASE_URL is not set; export it or add it to .env")
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
        """Ask for one answer until it comes and passes, or attempts run out; safe to repeat.

        Waits between attempts grow exponentially with jitter; a Retry-After header takes
        their place, and holds back every other request too: a limit is on the caller, not on
        one question. Every attempt takes its turn under the limit of requests per second.

        Args:
            endpoint: Which one.
            store_id: Raw store id.
            bus_dt: Business date.
            check: Raises AnswerRejectedError for an answer that must be asked for again.

        Raises:
            ErpUnavailableError: Every attempt failed, or the ERP asks for more time than allowed.
            ErpRefusedError: A status other than 200 that asking again will not change.
            AnswerRejectedError: Every attempt brought something that did not pass.
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
        """Ask, and once more with the token read anew when the ERP no longer knows it."""
        await self._turn()
        try:
            return await self._ask_once(path, body)
        except ErpUnauthorizedError:
            if not self._credentials.renew():
                raise
        await self._turn()
        return await self._ask_once(path, body)

    def _wait_before_retry(self, exc: Exception) -> bool | float:
        if isinstance(exc, AnswerRejectedError):
            return True
        if not isinstance(exc, ErpUnavailableError):
            return False
        if exc.retry_after_seconds is None:
            return True
        if exc.retry_after_seconds > self._retry_policy.retry_after_max_seconds:
            return False
        until = asyncio.get_running_loop().time() + exc.retry_after_seconds
        self._quiet_until = max(self._quiet_until, until)
        return exc.retry_after_seconds

    async def _turn(self) -> None:
        """Wait until a request may be sent."""
        await self._rate_limit.turn()
        # Somebody else may have been told to wait meanwhile. Everyone who sat that out takes
        # a new turn, or they would all ask at once.
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
                # A redirect would turn the POST into a GET and end at a login page.
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
        except TimeoutError as exc:
            raise ErpUnavailableError(f"no answer in time from {path}") from exc
        except aiohttp.ClientError as exc:
            raise map_error(exc) from exc

    async def _read(self, response: aiohttp.ClientResponse) -> bytes:
        content = bytearray()
        async for chunk in response.content.iter_any():
            content += chunk
            if len(content) > self._retry_policy.max_answer_bytes:
                raise ErpRefusedError(
                    f"the answer is larger than {self._retry_policy.max_answer_bytes} bytes; raise "
                    "PULL_MAX_ANSWER_BYTES if that is right"
                )
        return bytes(content)


def map_error(exc: aiohttp.ClientError) -> ErpError:
    """Say whether asking again may help; the caller raises the result `from` the original."""
    reason = str(exc) or type(exc).__name__
    if isinstance(exc, _PERMANENT):
        return ErpRefusedError(f"cannot talk to the ERP, check API_BASE_URL: {reason}")
    return ErpUnavailableError(f"connection to the ERP failed: {reason}")


async def _refusal(response: aiohttp.ClientResponse) -> ErpUnavailableError | ErpRefusedError:
    """Turn a status other than 200 into the error it stands for."""
    message = f"the ERP answered {response.status}{await _excerpt(response)}"
    if response.status in _COME_BACK or response.status >= 500:
        wait = retry_after_seconds(response.headers.get("Retry-After"), datetime.now(UTC))
        if wait is not None:
            message += f"; it asks to wait {wait:g} s"
        return ErpUnavailableError(message, wait)
    if response.status in (401, 403):
        message += "; check API_TOKEN, API_TOKEN_FILE or API_KEY, and what they may read"
    return (ErpUnauthorizedError if response.status == 401 else ErpRefusedError)(message)


async def _excerpt(response: aiohttp.ClientResponse) -> str:
    """Return what an error body says, or nothing; never fails over a broken one."""
    try:
        async with asyncio.timeout(5):
            document = parse_json(await response.content.read(_EXCERPT_BYTES))
    except (NotJsonError, TimeoutError, aiohttp.ClientError):
        return ""
    return f": {error_text(document)}" if isinstance(document, dict) and document else ""
